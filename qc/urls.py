"""Addresses of the dashboard, of findings, and of the rules."""

from django.urls import path

from qc import views, views_decisions, views_findings, views_lots, views_reviewers, views_reviews, views_rules

app_name = "qc"
urlpatterns = [
    path("<slug:slug>/", views.dashboard, name="dashboard"),
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
    path("<slug:slug>/findings/", views_findings.listed, name="findings"),
    path("<slug:slug>/findings/findings.csv", views_findings.download, name="findings_csv"),
    path("<slug:slug>/findings/<int:finding_id>/", views_findings.act, name="finding"),
    path("<slug:slug>/findings/runs/", views_findings.run, name="run_rules"),
    path("<slug:slug>/findings/runs/<int:run_id>/", views_findings.progress, name="findings_run"),
    path("<slug:slug>/findings/runs/<int:run_id>/cancel/", views_findings.cancel, name="cancel_findings_run"),
    path("<slug:slug>/findings/rules/", views_rules.page, name="rules"),
]
