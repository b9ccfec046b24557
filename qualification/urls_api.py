"""Addresses of the API of qualification."""

from django.urls import path

from qualification import api, api_staff

urlpatterns = [
    path("studies/<slug:slug>/qualification/", api.OwnQualificationView.as_view(), name="qualification"),
    path("studies/<slug:slug>/qualification/attempts/", api.BeginView.as_view(), name="qualification_begin"),
    path("studies/<slug:slug>/qualification/next/", api.NextView.as_view(), name="qualification_next"),
    path("qualification-turns/<int:turn_id>/answer/", api.AnswerTurnView.as_view(), name="qualifying_answer"),
    path("qualification-turns/<int:turn_id>/go-on/", api.GoOnView.as_view(), name="qualifying_go_on"),
    path("qualification-turns/<int:turn_id>/skip/", api.SkipTurnView.as_view(), name="qualifying_skip"),
    path("qualification-turns/<int:turn_id>/renew/", api.RenewTurnView.as_view(), name="qualifying_renew"),
    path("qualification-turns/<int:turn_id>/care/", api.CareTurnView.as_view(), name="qualifying_care"),
    path("qualification-turns/<int:turn_id>/report/", api.ReportTurnView.as_view(), name="qualifying_report"),
    path("studies/<slug:slug>/qualification/sets/", api_staff.SetsView.as_view(), name="qualification_sets"),
    path("qualification-sets/<int:set_id>/", api_staff.SetView.as_view(), name="qualification_set"),
    path("qualification-sets/<int:set_id>/publish/", api_staff.PublishView.as_view(), name="qualification_publish"),
    path("studies/<slug:slug>/qualification/people/", api_staff.PeopleView.as_view(), name="qualification_people"),
    path(
        "studies/<slug:slug>/qualification/people/<int:person_id>/",
        api_staff.DecideView.as_view(),
        name="qualification_decide",
    ),
    path(
        "studies/<slug:slug>/qualification/questions/",
        api_staff.QuestionsView.as_view(),
        name="qualification_questions",
    ),
]
