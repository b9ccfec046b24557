"""Addresses of the pages of releases, below `/studies/`."""

from django.urls import path

from releases import views

app_name = "releases"
urlpatterns = [
    path("<slug:slug>/releases/", views.listed, name="list"),
    path("<slug:slug>/releases/releases.csv", views.listed_csv, name="list_csv"),
    path("<slug:slug>/releases/new/", views.new, name="new"),
    path("<slug:slug>/releases/automatic/", views.automatic_releases, name="automatic"),
    path("<slug:slug>/releases/withdraw/", views.withdraw, name="withdraw"),
    path("<slug:slug>/releases/withdraw/withdrawals.csv", views.withdrawals_csv, name="withdrawals_csv"),
    path("<slug:slug>/releases/<int:number>/", views.release, name="release"),
    path("<slug:slug>/releases/<int:number>/funnel.csv", views.funnel_csv, name="funnel_csv"),
    path("<slug:slug>/releases/<int:number>/progress/", views.progress, name="progress"),
    path("<slug:slug>/releases/<int:number>/cancel/", views.cancel, name="cancel"),
]
