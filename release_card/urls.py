"""Addresses of the data card and the figures of a release, below `/studies/`."""

from django.urls import path

from release_card import views

app_name = "release_card"
urlpatterns = [
    path("<slug:slug>/releases/<int:number>/card/", views.card, name="card"),
    path("<slug:slug>/releases/<int:number>/figures/", views.figures, name="figures"),
    path("<slug:slug>/releases/<int:number>/figures/<slug:name>.csv", views.figure_csv, name="figure_csv"),
]
