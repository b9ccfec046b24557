"""Address of the page of a trial."""

from django.urls import path

from trial import views

app_name = "trial"
urlpatterns = [path("<slug:slug>/trial/", views.page, name="page")]
