"""Addresses of the API of calibration."""

from django.urls import path

from calibration import api

urlpatterns = [
    path("studies/<slug:slug>/calibrations/", api.CalibrationsView.as_view(), name="calibrations"),
    path("calibrations/<int:session_id>/", api.CalibrationView.as_view(), name="calibration"),
    path("calibrations/<int:session_id>/next/", api.NextTurnView.as_view(), name="calibration_next"),
    path("calibration-turns/<int:turn_id>/answer/", api.AnswerTurnView.as_view(), name="turn_answer"),
    path("calibration-turns/<int:turn_id>/skip/", api.SkipTurnView.as_view(), name="turn_skip"),
    path("calibration-turns/<int:turn_id>/renew/", api.RenewTurnView.as_view(), name="turn_renew"),
    path("calibration-turns/<int:turn_id>/care/", api.CareTurnView.as_view(), name="turn_care"),
    path("calibration-turns/<int:turn_id>/report/", api.ReportTurnView.as_view(), name="turn_report"),
]
