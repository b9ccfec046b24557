"""Addresses of calibration."""

from django.urls import path

from calibration import views

app_name = "calibration"
urlpatterns = [
    path("<slug:slug>/calibrations/", views.sessions, name="calibrations"),
    path("<slug:slug>/calibrations/<int:number>/", views.session, name="calibration"),
    path("<slug:slug>/calibrations/<int:number>/change/", views.change, name="change_calibration"),
    path("<slug:slug>/calibrations/<int:number>/judge/", views.judge, name="calibrate"),
    path("<slug:slug>/calibrations/<int:number>/answers.csv", views.download, name="calibration_csv"),
]
