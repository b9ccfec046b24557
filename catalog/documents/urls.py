"""The pages on which a study's guideline is read and edited; `diptych.urls` includes them under `studies/`."""

from django.urls import path

from catalog.documents import views, views_edit

app_name = "documents"
urlpatterns = [
    path("<slug:slug>/guideline/", views.guideline, name="guideline"),
    path("<slug:slug>/guideline/edit/", views_edit.edit, name="edit"),
    path("<slug:slug>/guideline/preview/", views_edit.preview, name="preview"),
]
