"""Addresses of the API of lots, reviews and their decisions."""

from django.urls import path

from qc import api_lots, api_reviewers, api_reviews

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
    path("studies/<slug:slug>/reviewers/", api_reviewers.ReviewersView.as_view(), name="reviewers"),
]
