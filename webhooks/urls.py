"""Addresses of the pages of webhooks."""

from django.urls import path

from webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("<slug:slug>/webhooks/", views.endpoints_page, name="endpoints"),
    path("<slug:slug>/webhooks/<int:endpoint_id>/", views.endpoint_page, name="endpoint"),
    path("<slug:slug>/webhooks/<int:endpoint_id>/secret/", views.replace_secret, name="replace_secret"),
    path("<slug:slug>/webhooks/<int:endpoint_id>/old-secrets/", views.end_old_secrets, name="end_old_secrets"),
    path("<slug:slug>/webhooks/<int:endpoint_id>/switch/", views.switch, name="switch_endpoint"),
    path("<slug:slug>/webhooks/<int:endpoint_id>/test/", views.test, name="test_endpoint"),
    path("<slug:slug>/webhooks/<int:endpoint_id>/delete/", views.delete, name="delete_endpoint"),
    path("<slug:slug>/webhooks/deliveries/<int:delivery_id>/again/", views.send_again, name="send_again"),
]
