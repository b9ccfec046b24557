"""The annotator's pages."""

from django.urls import path

from annotation import views

app_name = "annotation"
urlpatterns = [
    path("<slug:slug>/work/", views.workspace, name="workspace"),
]
