"""Addresses of what formats leave out, below `/studies/`."""

from django.urls import path

from release_formats import views

app_name = "release_formats"
urlpatterns = [
    path("<slug:slug>/releases/<int:number>/left-out.csv", views.left_out_csv, name="left_out_csv"),
]
