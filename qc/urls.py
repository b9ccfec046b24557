"""Addresses of lots, reviews and their decisions."""

from django.urls import path

from qc import views_decisions, views_lots, views_reviewers, views_reviews

app_name = "qc"
urlpatterns = [
    path("<slug:slug>/lots/", views_lots.lots, name="lots"),
    path("<slug:slug>/lots/new/", views_lots.new, name="new_lot"),
    path("<slug:slug>/lots/reviewers/", views_reviewers.agreement, name="reviewers"),
    path("<slug:slug>/lots/reviewers/reviewers.csv", views_reviewers.download, name="reviewers_csv"),
    path("<slug:slug>/lots/<int:number>/", views_lots.lot, name="lot"),
    path("<slug:slug>/lots/<int:number>/answers/", views_lots.answers, name="lot_answers"),
    path("<slug:slug>/lots/<int:number>/answers/answers.csv", views_lots.answers_csv, name="lot_answers_csv"),
    path("<slug:slug>/lots/<int:number>/start/", views_decisions.start, name="start_lot"),
    path("<slug:slug>/lots/<int:number>/dissolve/", views_decisions.dissolve, name="dissolve_lot"),
    path("<slug:slug>/lots/<int:number>/draw/", views_decisions.draw, name="draw_lot"),
    path("<slug:slug>/lots/<int:number>/decide/", views_decisions.decide, name="decide_lot"),
    path("<slug:slug>/lots/<int:number>/reopen/", views_decisions.reopen, name="reopen_lot"),
    path("<slug:slug>/reviews/", views_reviews.reviews, name="reviews"),
    path("<slug:slug>/reviews/<int:number>/<slug:kind>/", views_reviews.review, name="review"),
    path("<slug:slug>/reviews/replies/<int:item_id>/", views_reviews.reply, name="reply"),
]
