"""Addresses of the library's pages. `catalog.urls` includes them."""

from django.urls import path

from catalog.library import views, views_detail
from catalog.library.labels import LABELS
from catalog.library.listing import PAIRS, PROMPTS, VIDEOS

urlpatterns = [
    path("<slug:slug>/library/", views.listed, {"listing": PROMPTS}, name="prompts"),
    path("<slug:slug>/library/videos/", views.listed, {"listing": VIDEOS}, name="videos"),
    path("<slug:slug>/library/pairs/", views.listed, {"listing": PAIRS}, name="pairs"),
    path("<slug:slug>/library/labels/", views.listed, {"listing": LABELS}, name="labels"),
    path("<slug:slug>/library/prompts.csv", views.download, {"listing": PROMPTS}, name="prompts_csv"),
    path("<slug:slug>/library/videos.csv", views.download, {"listing": VIDEOS}, name="videos_csv"),
    path("<slug:slug>/library/pairs.csv", views.download, {"listing": PAIRS}, name="pairs_csv"),
    path("<slug:slug>/library/labels.csv", views.download, {"listing": LABELS}, name="labels_csv"),
    path("<slug:slug>/library/prompts/<slug:prompt_id>/", views_detail.prompt, name="prompt"),
    path("<slug:slug>/library/videos/<slug:video_id>/", views_detail.video, name="video"),
    path("<slug:slug>/library/pairs/hold/", views_detail.hold_pairs, name="hold_pairs"),
    path("<slug:slug>/library/pairs/<slug:pair_id>/", views_detail.pair, name="pair"),
    path("<slug:slug>/library/pairs/<slug:pair_id>/hold/", views_detail.hold_pair, name="hold_pair"),
]
