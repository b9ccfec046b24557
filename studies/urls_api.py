"""URLs of studies and their people below `/api/v1/`."""

from django.urls import path

from studies import api, api_people, api_settings

urlpatterns = [
    path("studies/", api.StudiesView.as_view(), name="studies"),
    path("studies/<slug:slug>/archive/", api.ArchiveView.as_view(), name="study_archive"),
    path("studies/<slug:slug>/bring-back/", api.BringBackView.as_view(), name="study_bring_back"),
    path("studies/<slug:slug>/state/", api.StateView.as_view(), name="state"),
    path("studies/<slug:slug>/settings/", api_settings.SettingsView.as_view(), name="settings"),
    path("studies/<slug:slug>/people/", api_people.PeopleView.as_view(), name="people"),
    path("studies/<slug:slug>/people/<str:name>/roles/<slug:role>/", api_people.RoleView.as_view(), name="role"),
    path(
        "studies/<slug:slug>/invitations/<int:invitation_id>/", api_people.InvitationView.as_view(), name="invitation"
    ),
]
