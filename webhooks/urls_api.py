"""Addresses of the API of webhooks, below `/api/v1/`."""

from django.urls import path

from webhooks import api

urlpatterns = [
    path("studies/<slug:slug>/webhooks/", api.EndpointsView.as_view(), name="webhooks"),
    path("webhooks/<int:endpoint_id>/", api.EndpointView.as_view(), name="webhook"),
    path("webhooks/<int:endpoint_id>/secret/", api.SecretView.as_view(), name="webhook_secret"),
    path("webhooks/<int:endpoint_id>/old-secrets/", api.OldSecretsView.as_view(), name="webhook_old_secrets"),
    path("webhooks/<int:endpoint_id>/test/", api.TestView.as_view(), name="webhook_test"),
    path("webhooks/<int:endpoint_id>/deliveries/", api.DeliveriesView.as_view(), name="webhook_deliveries"),
    path("webhooks/deliveries/<int:delivery_id>/again/", api.SendAgainView.as_view(), name="webhook_send_again"),
]
