"""A person's own invitations and notices; `diptych.urls` includes them under `taking-part/`."""

from django.urls import path

from catalog import views_membership

app_name = "membership"
urlpatterns = [
    path("invitations/<int:invitation_id>/", views_membership.answer_invitation, name="answer_invitation"),
    path("notices/<int:notice_id>/dismiss/", views_membership.dismiss_notice, name="dismiss_notice"),
]
