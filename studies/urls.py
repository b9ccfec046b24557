"""URLs of the pages of studies, and of a person's own invitations and notices."""

from django.urls import path

from studies import (
    views_guideline,
    views_guideline_edit,
    views_jobs,
    views_membership,
    views_people,
    views_settings,
    views_settings_file,
    views_studies,
)

app_name = "studies"
urlpatterns = [
    path("studies/new/", views_studies.new, name="new"),
    path("studies/<slug:slug>/settings/", views_studies.state, name="state"),
    path("studies/<slug:slug>/settings/close/", views_studies.close, name="close"),
    path("studies/<slug:slug>/settings/consent/", views_settings.consent, name="consent"),
    path("studies/<slug:slug>/settings/file/", views_settings_file.page, name="settings_file"),
    path("studies/<slug:slug>/settings/file.json", views_settings_file.download, name="settings_download"),
    path("studies/<slug:slug>/settings/file.schema.json", views_settings_file.schema, name="settings_schema"),
    path("studies/<slug:slug>/settings/<slug:group>/", views_settings.settings, name="settings"),
    path("studies/<slug:slug>/jobs/", views_jobs.jobs, name="jobs"),
    path("studies/<slug:slug>/people/", views_people.people, name="people"),
    path("studies/<slug:slug>/people/invite/", views_people.invite, name="invite"),
    path("studies/<slug:slug>/people/numbered/", views_people.numbered, name="numbered"),
    path("studies/<slug:slug>/people/tokens/", views_people.tokens, name="tokens"),
    path(
        "studies/<slug:slug>/people/invitations/<int:invitation_id>/withdraw/",
        views_people.withdraw_invitation,
        name="withdraw_invitation",
    ),
    path("studies/<slug:slug>/people/<int:person_id>/", views_people.person, name="person"),
    path("studies/<slug:slug>/people/<int:person_id>/roles/", views_people.roles, name="roles"),
    path("studies/<slug:slug>/people/<int:person_id>/password/", views_people.reset_password, name="password"),
    path("studies/<slug:slug>/guideline/", views_guideline.guideline, name="guideline"),
    path("studies/<slug:slug>/guideline/edit/", views_guideline_edit.edit, name="edit_guideline"),
    path("studies/<slug:slug>/guideline/preview/", views_guideline_edit.preview, name="preview_guideline"),
    path(
        "taking-part/invitations/<int:invitation_id>/",
        views_membership.answer_invitation,
        name="answer_invitation",
    ),
    path("taking-part/notices/<int:notice_id>/dismiss/", views_membership.dismiss_notice, name="dismiss_notice"),
]
