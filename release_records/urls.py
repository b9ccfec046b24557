"""Addresses of the records of a release and of comparisons, below `/studies/`."""

from django.urls import path

from release_records import views

app_name = "release_records"
urlpatterns = [
    path("<slug:slug>/releases/<int:number>/records/", views.records, name="records"),
    path("<slug:slug>/releases/<int:number>/records.csv", views.records_csv, name="records_csv"),
    path("<slug:slug>/releases/<int:number>/records/<slug:pair_id>/", views.record, name="record"),
    path("<slug:slug>/releases/<int:number>/compare/", views.compare, name="compare"),
    path("<slug:slug>/releases/<int:number>/compare.csv", views.compare_csv, name="compare_csv"),
]
