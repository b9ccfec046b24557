"""Addresses of the dashboard, lots, reviews, findings, suspensions and pauses."""

from django.urls import path

from qc import (
    views,
    views_controls,
    views_decisions,
    views_findings,
    views_lots,
    views_pauses,
    views_reviews,
    views_rules,
    views_suspensions,
)

app_name = "qc"
urlpatterns = [
    path("<slug:slug>/", views.dashboard, name="dashboard"),
    path("<slug:slug>/lots/", views_lots.lots, name="lots"),
    path("<slug:slug>/lots/new/", views_lots.new, name="new_lot"),
    path("<slug:slug>/lots/<int:number>/", views_lots.lot, name="lot"),
    path("<slug:slug>/lots/<int:number>/answers/", views_lots.answers, name="lot_answers"),
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
    path("<slug:slug>/suspensions/", views_suspensions.suspensions, name="suspensions"),
    path("<slug:slug>/suspensions/new/<int:person_id>/", views_suspensions.suspend, name="suspend"),
    path("<slug:slug>/suspensions/<int:suspension_id>/", views_suspensions.suspension, name="suspension"),
    path("<slug:slug>/suspensions/<int:suspension_id>/answers.csv", views_suspensions.download, name="suspension_csv"),
    path(
        "<slug:slug>/suspensions/<int:suspension_id>/progress/", views_suspensions.progress, name="suspension_progress"
    ),
    path("<slug:slug>/suspensions/<int:suspension_id>/lift/", views_suspensions.lift, name="lift_suspension"),
    path("<slug:slug>/suspensions/<int:suspension_id>/cancel/", views_suspensions.cancel, name="cancel_suspension"),
    path("<slug:slug>/suspensions/<int:suspension_id>/resume/", views_suspensions.resume, name="resume_suspension"),
    path("<slug:slug>/pauses/", views_pauses.pauses, name="pauses"),
    path("<slug:slug>/pauses/pauses.csv", views_pauses.download, name="pauses_csv"),
    path("<slug:slug>/pauses/rules/", views_pauses.rules, name="pause_rules"),
    path("<slug:slug>/pauses/<int:pause_id>/end/", views_pauses.end, name="end_pause"),
    path("<slug:slug>/controls/", views_controls.controls, name="controls"),
    path("<slug:slug>/controls/controls.csv", views_controls.controls_csv, name="controls_csv"),
    path("<slug:slug>/controls/make/", views_controls.make, name="make_controls"),
    path("<slug:slug>/controls/<int:control_id>/withdraw/", views_controls.withdraw, name="withdraw_control"),
    path("<slug:slug>/controls/people/", views_controls.people, name="control_people"),
    path("<slug:slug>/controls/people/people.csv", views_controls.people_csv, name="control_people_csv"),
    path("<slug:slug>/controls/results/", views_controls.results, name="control_results"),
    path("<slug:slug>/controls/results/results.csv", views_controls.results_csv, name="control_results_csv"),
    path("<slug:slug>/controls/runs/<int:run_id>/", views_controls.progress, name="controls_run"),
    path("<slug:slug>/controls/runs/<int:run_id>/cancel/", views_controls.cancel, name="cancel_controls_run"),
]
