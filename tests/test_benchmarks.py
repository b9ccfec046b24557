"""The benchmark's reference writes the rows that the product writes, so it must keep up with the tables."""

import pytest
from django.test import Client, override_settings

from annotation.models import Annotation, Standing
from tests import factories

pytestmark = pytest.mark.django_db


@override_settings(ROOT_URLCONF="benchmarks.urls")
def test_the_bare_loop_leases_and_stores_an_answer(study, annotator):
    factories.pairs(study, 3)
    client = Client()
    client.force_login(annotator)
    path = f"/benchmark/bare/{study.pk}/"
    desk = client.post(path, {"assignment": None}, content_type="application/json").json()
    body = factories.body() | {"assignment": desk["current"]["id"]}
    after = client.post(path, body, content_type="application/json")
    assert after.status_code == 201
    assert after.json()["current"] == desk["next"]
    assert Annotation.objects.get().assignment_id == desk["current"]["id"]
    assert Standing.objects.get().counted
