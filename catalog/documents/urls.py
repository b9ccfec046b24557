"""The page on which a study's guideline is read; `diptych.urls` includes it under `studies/`."""

from django.urls import path

from catalog.documents import views

app_name = "documents"
urlpatterns = [
    path("<slug:slug>/guideline/", views.guideline, name="guideline"),
]
