"""Addresses of the dashboard."""

from django.urls import path

from qc import views, views_reviews

app_name = "qc"
urlpatterns = [
    path("<slug:slug>/", views.dashboard, name="dashboard"),
    path("<slug:slug>/reviews/", views_reviews.reviews, name="reviews"),
    path("<slug:slug>/reviews/<int:number>/<slug:kind>/", views_reviews.review, name="review"),
    path("<slug:slug>/reviews/replies/<int:item_id>/", views_reviews.reply, name="reply"),
]
