"""Addresses of the pages of models, below `/studies/`."""

from django.urls import path

from training import generators_views
from training import registry_views as views

app_name = "models"
urlpatterns = [
    path("<slug:slug>/models/", views.listed, name="list"),
    path("<slug:slug>/models/generators/", generators_views.page, name="generators"),
    path("<slug:slug>/models/generators/<slug:figure>.csv", generators_views.csv, name="generators_csv"),
    path("<slug:slug>/models/<int:family_id>/", views.family, name="family"),
    path("<slug:slug>/models/<int:family_id>/versions.csv", views.versions_csv, name="versions_csv"),
    path("<slug:slug>/models/<int:family_id>/<int:number>/", views.version, name="version"),
    path("<slug:slug>/models/<int:family_id>/<int:number>/score/", views.score, name="score"),
    path("<slug:slug>/models/<int:family_id>/<int:number>/decide/", views.decide, name="decide"),
    path("<slug:slug>/models/<int:family_id>/<int:number>/again/", views.compare_again, name="compare_again"),
]
