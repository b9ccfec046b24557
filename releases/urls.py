"""Addresses of the pages of releases, below `/studies/`."""

from django.urls import path

from releases import views, views_card, views_records

app_name = "releases"
urlpatterns = [
    path("<slug:slug>/releases/", views.listed, name="list"),
    path("<slug:slug>/releases/releases.csv", views.listed_csv, name="list_csv"),
    path("<slug:slug>/releases/new/", views.new, name="new"),
    path("<slug:slug>/releases/withdraw/", views.withdraw, name="withdraw"),
    path("<slug:slug>/releases/withdraw/withdrawals.csv", views.withdrawals_csv, name="withdrawals_csv"),
    path("<slug:slug>/releases/<int:number>/", views.release, name="release"),
    path("<slug:slug>/releases/<int:number>/funnel.csv", views.funnel_csv, name="funnel_csv"),
    path("<slug:slug>/releases/<int:number>/left-out.csv", views.left_out_csv, name="left_out_csv"),
    path("<slug:slug>/releases/<int:number>/records/", views_records.records, name="records"),
    path("<slug:slug>/releases/<int:number>/records.csv", views_records.records_csv, name="records_csv"),
    path("<slug:slug>/releases/<int:number>/records/<slug:pair_id>/", views_records.record, name="record"),
    path("<slug:slug>/releases/<int:number>/compare/", views_records.compare, name="compare"),
    path("<slug:slug>/releases/<int:number>/compare.csv", views_records.compare_csv, name="compare_csv"),
    path("<slug:slug>/releases/<int:number>/card/", views_card.card, name="card"),
    path("<slug:slug>/releases/<int:number>/figures/", views_card.figures, name="figures"),
    path("<slug:slug>/releases/<int:number>/figures/<slug:name>.csv", views_card.figure_csv, name="figure_csv"),
    path("<slug:slug>/releases/<int:number>/progress/", views.progress, name="progress"),
    path("<slug:slug>/releases/<int:number>/cancel/", views.cancel, name="cancel"),
]
