"""Addresses of progress, quality, agreement and annotators."""

from django.urls import path

from figures import views, views_agreement, views_annotators, views_figures, views_quality

app_name = "figures"
urlpatterns = [
    path("<slug:slug>/", views.dashboard, name="dashboard"),
    path("<slug:slug>/quality/", views_quality.quality, name="quality"),
    path("<slug:slug>/quality/recount/", views_quality.recount, name="recount_quality"),
    path("<slug:slug>/quality/waiting/", views_quality.waiting_rows, name="waiting"),
    path("<slug:slug>/quality/waiting/waiting.csv", views_quality.waiting_csv, name="waiting_csv"),
    path("<slug:slug>/quality/defects/", views_quality.defect_rows, name="defects"),
    path("<slug:slug>/quality/defects/defects.csv", views_quality.defects_csv, name="defects_csv"),
    path("<slug:slug>/quality/decided/", views_quality.decided_rows, name="decided"),
    path("<slug:slug>/quality/decided/decided.csv", views_quality.decided_csv, name="decided_csv"),
    path("<slug:slug>/quality/reviewed/", views_quality.reviewed_rows, name="reviewed"),
    path("<slug:slug>/quality/reviewed/reviewed.csv", views_quality.reviewed_csv, name="reviewed_csv"),
    path("<slug:slug>/quality/tables/<slug:table>.csv", views_quality.table_csv, name="quality_csv"),
    path("<slug:slug>/agreement/", views_agreement.agreement, name="agreement"),
    path("<slug:slug>/agreement/agreement.csv", views_agreement.download, name="agreement_csv"),
    path("<slug:slug>/agreement/pairs/", views_agreement.pairs, name="agreement_pairs"),
    path("<slug:slug>/agreement/pairs/pairs.csv", views_agreement.download_pairs, name="agreement_pairs_csv"),
    path("<slug:slug>/agreement/compute/", views_figures.compute, {"kind": "agreement"}, name="compute_agreement"),
    path("<slug:slug>/annotators/", views_annotators.annotators, name="annotators"),
    path("<slug:slug>/annotators/annotators.csv", views_annotators.download, name="annotators_csv"),
    path("<slug:slug>/annotators/compute/", views_figures.compute, {"kind": "annotators"}, name="compute_annotators"),
    path("<slug:slug>/annotators/<slug:author>/", views_annotators.annotator, name="annotator"),
    path("<slug:slug>/annotators/<slug:author>/answers/", views_annotators.reviewed, name="annotator_answers"),
    path("<slug:slug>/figures/<int:job_id>/", views_figures.progress, name="figures_job"),
    path("<slug:slug>/figures/<int:job_id>/cancel/", views_figures.cancel, name="cancel_figures"),
]
