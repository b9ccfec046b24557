"""Signing in and out, and one's own account."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import views, views_in_place, views_second_factor, views_tokens

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="sign_in"),
    path("sign-in-in-place/", views_in_place.sign_in_in_place, name="sign_in_in_place"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("language/", views.language, name="language"),
    path("password/", views.PasswordView.as_view(), name="password"),
    path("second-factor/", views_second_factor.give, name="second_factor"),
    path("second-factor/new/", views_second_factor.new, name="second_factor_new"),
    path("second-factor/new/code.svg", views_second_factor.picture, name="second_factor_picture"),
    path("second-factor/backup-codes/", views_second_factor.backup_codes, name="second_factor_backup_codes"),
    path("tokens/", views_tokens.tokens, name="tokens"),
    path("tokens/everybody/", views_tokens.all_tokens, name="all_tokens"),
    path("tokens/<uuid:token_id>/revoke/", views_tokens.revoke_token, name="revoke_token"),
    path("reset-password/", views_tokens.reset, name="reset_password"),
    path("viewing/", views.viewing, name="viewing"),
]
