"""Addresses of the API of quality control. `diptych.urls` includes them."""

from django.urls import path

from qc import api_controls, api_findings, api_lots, api_reviews, api_suspensions

urlpatterns = [
    path("studies/<slug:slug>/lots/", api_lots.LotsView.as_view(), name="lots"),
    path("lots/<int:lot_id>/start/", api_lots.StartLotView.as_view(), name="lot_start"),
    path("lots/<int:lot_id>/draw/", api_lots.DrawLotView.as_view(), name="lot_draw"),
    path("lots/<int:lot_id>/quality/", api_lots.LotQualityView.as_view(), name="lot_quality"),
    path("lots/<int:lot_id>/decision/", api_lots.LotDecisionView.as_view(), name="lot_decision"),
    path("lots/<int:lot_id>/reviews/", api_reviews.LeaseReviewView.as_view(), name="lease_review"),
    path("reviews/<int:review_id>/answer/", api_reviews.AnswerReviewView.as_view(), name="review_answer"),
    path("reviews/<int:review_id>/submit/", api_reviews.SubmitReviewView.as_view(), name="review_submit"),
    path("reviews/<int:review_id>/skip/", api_reviews.SkipReviewView.as_view(), name="review_skip"),
    path("reviews/<int:review_id>/undo/", api_reviews.UndoReviewView.as_view(), name="review_undo"),
    path("reviews/<int:review_id>/renew/", api_reviews.RenewReviewView.as_view(), name="review_renew"),
    path("reviews/<int:review_id>/care/", api_reviews.CareReviewView.as_view(), name="review_care"),
    path("reviews/<int:review_id>/release/", api_reviews.ReleaseReviewView.as_view(), name="review_release"),
    path("reviews/<int:review_id>/report/", api_reviews.ReportReviewView.as_view(), name="review_report"),
    path("studies/<slug:slug>/suspensions/", api_suspensions.SuspensionsView.as_view(), name="suspensions"),
    path("studies/<slug:slug>/suspensions/preview/", api_suspensions.PreviewView.as_view(), name="suspension_preview"),
    path("suspensions/<int:suspension_id>/", api_suspensions.SuspensionView.as_view(), name="suspension"),
    path("suspensions/<int:suspension_id>/lift/", api_suspensions.LiftView.as_view(), name="suspension_lift"),
    path("studies/<slug:slug>/pauses/", api_suspensions.PausesView.as_view(), name="pauses"),
    path("pauses/<int:pause_id>/end/", api_suspensions.EndPauseView.as_view(), name="pause_end"),
    path("studies/<slug:slug>/findings/", api_findings.FindingsView.as_view(), name="findings"),
    path("studies/<slug:slug>/findings/runs/", api_findings.FindingsRunsView.as_view(), name="findings_runs"),
    path(
        "studies/<slug:slug>/findings/runs/<int:run_id>/", api_findings.FindingsRunView.as_view(), name="findings_run"
    ),
    path("studies/<slug:slug>/controls/", api_controls.ControlsView.as_view(), name="controls"),
    path("studies/<slug:slug>/controls/people/", api_controls.ControlPeopleView.as_view(), name="control_people"),
    path("studies/<slug:slug>/controls/runs/", api_controls.ControlsRunsView.as_view(), name="controls_runs"),
    path(
        "studies/<slug:slug>/controls/runs/<int:run_id>/", api_controls.ControlsRunView.as_view(), name="controls_run"
    ),
    path(
        "studies/<slug:slug>/controls/<int:control_id>/withdraw/",
        api_controls.WithdrawControlView.as_view(),
        name="withdraw_control",
    ),
]
