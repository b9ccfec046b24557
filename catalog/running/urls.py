"""Pages below a study; `diptych.urls` includes them."""

from django.urls import path

from catalog.running import views_changes, views_pairs, views_people, views_settings, views_studies

app_name = "running"

urlpatterns = [
    path("new/", views_studies.new, name="new"),
    path("<slug:slug>/settings/", views_studies.state, name="state"),
    path("<slug:slug>/settings/close/", views_studies.close, name="close"),
    path("<slug:slug>/settings/consent/", views_settings.consent, name="consent"),
    path("<slug:slug>/settings/licences/", views_settings.licences, name="licences"),
    path("<slug:slug>/settings/<slug:group>/", views_settings.settings, name="settings"),
    path("<slug:slug>/people/", views_people.people, name="people"),
    path("<slug:slug>/people/invite/", views_people.invite, name="invite"),
    path("<slug:slug>/people/numbered/", views_people.numbered, name="numbered"),
    path("<slug:slug>/people/tokens/", views_people.tokens, name="tokens"),
    path(
        "<slug:slug>/people/invitations/<int:invitation_id>/withdraw/",
        views_people.withdraw_invitation,
        name="withdraw_invitation",
    ),
    path("<slug:slug>/people/<int:person_id>/", views_people.person, name="person"),
    path("<slug:slug>/people/<int:person_id>/roles/", views_people.roles, name="roles"),
    path("<slug:slug>/people/<int:person_id>/password/", views_people.reset_password, name="password"),
    path("<slug:slug>/batches/", views_pairs.batches, name="batches"),
    path("<slug:slug>/batches/pairs/", views_pairs.pairs, name="pairs"),
    path("<slug:slug>/batches/changes/<int:change_id>/", views_changes.progress, name="change"),
    path("<slug:slug>/batches/changes/<int:change_id>/cancel/", views_changes.cancel, name="cancel_change"),
    path("<slug:slug>/batches/changes/<int:change_id>/resume/", views_changes.resume, name="resume_change"),
]
