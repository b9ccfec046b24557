"""Address of the page of the example study."""

from django.urls import path

from demo import views

app_name = "demo"
urlpatterns = [path("<slug:slug>/example/", views.example, name="example")]
