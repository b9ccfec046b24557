"""Addresses of the annotation pages."""

from django.urls import path

from annotation import views

app_name = "annotation"
urlpatterns = [path("<slug:slug>/workspace/", views.workspace, name="workspace")]
