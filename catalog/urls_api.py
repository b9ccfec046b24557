"""Labels, batches and changes of pairs below `/api/v1/`."""

from django.urls import path

from catalog import api, api_holds, api_labels

urlpatterns = [
    path("studies/<slug:slug>/labels/", api_labels.LabelsView.as_view(), name="labels"),
    path("studies/<slug:slug>/batches/", api.BatchesView.as_view(), name="batches"),
    path("studies/<slug:slug>/pair-holds/", api_holds.PairHoldsView.as_view(), name="pair_holds"),
    path("studies/<slug:slug>/pair-changes/", api.PairsChangesView.as_view(), name="pair_changes"),
    path("studies/<slug:slug>/pair-changes/<int:change_id>/", api.PairsChangeView.as_view(), name="pair_change"),
]
