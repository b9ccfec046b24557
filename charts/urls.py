"""Addresses of charts as files."""

from django.urls import path

from charts import views

app_name = "charts"
urlpatterns = [
    path("<slug:slug>/charts/<slug:chart>/draw/", views.draw, name="draw_chart"),
    path("<slug:slug>/charts/files/<int:file_id>/", views.file, name="chart_file"),
    path("<slug:slug>/charts/files/<int:file_id>/progress/", views.progress, name="chart_progress"),
    path("<slug:slug>/charts/files/<int:file_id>/download/", views.download, name="chart_download"),
]
