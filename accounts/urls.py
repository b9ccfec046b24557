"""Signing in and out, and one's own account."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("language/", views.language, name="language"),
    path("password/", views.PasswordView.as_view(), name="password"),
]
