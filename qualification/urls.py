"""Addresses of qualification: the pages of annotators, and those of the people who run a study."""

from django.urls import path

from qualification import views, views_results, views_sets

app_name = "qualification"
urlpatterns = [
    path("<slug:slug>/qualification/", views.own, name="own"),
    path("<slug:slug>/qualification/<str:kind>/begin/", views.begin, name="begin"),
    path("<slug:slug>/qualification/<str:kind>/work/", views.work, name="work"),
    path("<slug:slug>/qualification/sets/", views_sets.overview, name="overview"),
    path("<slug:slug>/qualification/sets/<str:kind>/<int:number>/", views_sets.one_set, name="set"),
    path("<slug:slug>/qualification/sets/<str:kind>/<int:number>/change/", views_sets.change, name="change_set"),
    path("<slug:slug>/qualification/sets/<str:kind>/<int:number>/pairs/<int:item_id>/", views_sets.item, name="item"),
    path("<slug:slug>/qualification/people/", views_results.people, name="people"),
    path("<slug:slug>/qualification/people/people.csv", views_results.people_csv, name="people_csv"),
    path("<slug:slug>/qualification/people/<int:person_id>/", views_results.person, name="person"),
    path("<slug:slug>/qualification/people/<int:person_id>/decide/", views_results.decide, name="decide"),
    path("<slug:slug>/qualification/questions/", views_results.questions, name="questions"),
    path("<slug:slug>/qualification/questions/questions.csv", views_results.questions_csv, name="questions_csv"),
    path("<slug:slug>/qualification/answers/", views_results.answers, name="answers"),
    path("<slug:slug>/qualification/answers/answers.csv", views_results.answers_csv, name="answers_csv"),
]
