"""Addresses of the pages of training, below `/studies/`."""

from django.urls import path

from training import rules_views, views

app_name = "training"
urlpatterns = [
    path("<slug:slug>/training/", views.listed, name="list"),
    path("<slug:slug>/training/new/", views.new, name="new"),
    path("<slug:slug>/training/new/<int:number>/", views.from_release, name="from_release"),
    path("<slug:slug>/training/rules/", rules_views.listed, name="rules"),
    path("<slug:slug>/training/rules/new/", rules_views.new, name="new_rule"),
    path("<slug:slug>/training/rules/<int:rule_id>/", rules_views.one, name="rule"),
    path("<slug:slug>/training/rules/<int:rule_id>/switch/", rules_views.switch, name="switch_rule"),
    path("<slug:slug>/training/rules/<int:rule_id>/delete/", rules_views.delete, name="delete_rule"),
    path("<slug:slug>/training/<int:run_id>/", views.run, name="run"),
    path("<slug:slug>/training/<int:run_id>/progress/", views.progress, name="progress"),
    path("<slug:slug>/training/<int:run_id>/curve/", views.curve, name="curve"),
    path("<slug:slug>/training/<int:run_id>/cancel/", views.cancel, name="cancel"),
    path("<slug:slug>/training/<int:run_id>/again/", views.again, name="again"),
]
