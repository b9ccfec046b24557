"""The addresses of the product and of the reference views."""

from django.urls import path

from benchmarks import reference
from diptych.urls import handler400, handler403, handler404, handler500
from diptych.urls import urlpatterns as product

urlpatterns = [
    *product,
    path("benchmark/empty/", reference.empty),
    path("benchmark/bare/<int:study_id>/", reference.bare),
]

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
