"""Addresses of the pages on consent and exposure."""

from django.urls import path

from consent import views, views_wellbeing

app_name = "consent"
urlpatterns = [
    path("<slug:slug>/consent/", views.page, name="page"),
    path("<slug:slug>/consent/withdraw/", views.withdraw, name="withdraw"),
    path("<slug:slug>/wellbeing/", views_wellbeing.people, name="wellbeing"),
    path("<slug:slug>/wellbeing/<int:person_id>/", views_wellbeing.person, name="wellbeing_person"),
    path("<slug:slug>/exposure/", views_wellbeing.groups, name="exposure"),
]
