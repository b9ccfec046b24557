"""The benchmark's reference writes the rows that the product writes, so it must be updated with the tables.

The same is true of the code that fills and clears studies.
"""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.urls import get_resolver

from accounts.models import AuditEvent
from annotation.models import Annotation, Assignment, Dose, Exposure, Seat, Standing
from benchmarks import hard_cases, media, scratch, serving, studies
from catalog.models import Pair
from tests import factories
from tests.annotation.recounting import contradictions

pytestmark = pytest.mark.django_db

#: Fields that differ from run to run: keys, moments, and random draws. Only whether they are filled is compared.
DIFFERS = {
    *("id", "public_id", "submission_id", "subject_id", "study_slug", "address"),
    *("left", "left_balance", "dimension_first", "question_order", "tag_order", "presentation"),
    *("active_ms", "since_break_ms", "positions"),
}


def rows():
    """Return all rows that answering writes, by table, without the fields that differ."""
    return {
        model.__name__: [plain(row) for row in model.objects.order_by("pk")]
        for model in (Seat, Assignment, Annotation, Standing, Exposure, Dose, Pair)
    } | {"AuditEvent": [plain(row) for row in AuditEvent.objects.filter(action="annotation.submitted")]}


def plain(row):
    return {
        field.attname: bool(value) if field.attname in DIFFERS or field.is_relation or is_moment(value) else value
        for field in row._meta.concrete_fields
        for value in [getattr(row, field.attname)]
    } | ({"after": bool(row.after)} if isinstance(row, AuditEvent) else {})


def is_moment(value):
    return hasattr(value, "tzinfo")


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


def a_loop(client, lease, submit, body):
    """Make a first lease, then an answer. Return the rows of the tables afterwards."""
    current = client.post(lease, body | {"assignment": None}, content_type="application/json").json()["current"]
    body |= {"assignment": current["id"], "lease_next": True}
    assert client.post(submit(current), body, content_type="application/json").status_code == 201
    return rows()


@override_settings(ROOT_URLCONF="benchmarks.urls")
def test_the_bare_loop_writes_the_rows_that_the_product_writes(study, annotator):
    factories.pairs(study, 4)
    client = Client()
    client.force_login(annotator)
    path = f"/benchmark/bare/{study.pk}/"
    bare = a_loop(client, path, lambda current: path, factories.body())
    studies_cleared()
    product = a_loop(
        client,
        f"/api/v1/studies/{study.slug}/assignments/",
        lambda current: f"/api/v1/assignments/{current['id']}/submit/",
        factories.body(),
    )
    assert bare == product


def studies_cleared():
    """Do what `studies.clear` does, except vacuuming, which is impossible in a transaction."""
    connection.check_constraints()  # constraints that wait for the commit prevent TRUNCATE
    with studies.unchecked(), connection.cursor() as cursor:
        cursor.execute(studies.EMPTIED)


def test_a_cleared_study_looks_as_if_nobody_had_answered(study, annotator):
    factories.pairs(study, 3)
    studies_cleared()
    before = rows()
    client = Client()
    client.force_login(annotator)
    desk = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()
    client.post(f"/api/v1/assignments/{desk['current']['id']}/skip/", {"reason": "too_distressing"})
    assert rows() != before
    studies_cleared()
    assert rows() == before


def test_each_hard_case_leaves_a_study_in_which_every_count_is_right(study, annotator):
    assert tuple(hard_cases.HARD) == serving.HARD_NAMES
    people = [annotator, *(factories.member(study, "annotator") for _ in range(2))]
    factories.pairs(study, 6)
    values = {"study": study.pk, "pairs": 4, "people": len(people)}
    with studies.unchecked(), connection.cursor() as cursor:
        cursor.execute(hard_cases.ANSWERED, values)
        cursor.execute(hard_cases.OPTED_OUT, values)
    assert (Annotation.objects.count(), Pair.objects.filter(wanted=4, open_slots=1).count()) == (12, 4)
    assert sorted(map(bool, Seat.objects.values_list("excluded", flat=True))) == [False, True, True]
    assert contradictions(study.pk) == {}


def test_the_web_server_is_measured_with_the_threads_of_the_image():
    assert f"GRANIAN_BLOCKING_THREADS={scratch.THREADS}\n" in Path("Dockerfile").read_text()


@pytest.mark.long
def test_the_media_benchmark_prepares_what_an_import_would_have_written(tmp_path):
    measured = media.measure(media.Clip("64x64", 12, 0.5, sound=True), 1, tmp_path)
    assert {way: len(seconds) for way, seconds in measured.seconds.items()} == {"plain": 1, "made": 1, "worker": 1}
    assert Pair.objects.filter(ready=True).count() == 2  # one is of a round that does not count


def test_the_addresses_that_benchmarks_name_are_there():
    named = {
        tuple(found)
        for path in Path(scratch.__file__).parent.glob("*.py")
        for found in re.findall(r'(?:\bat|reverse)\(\s*"([a-z_]+):([a-z_]+)"', path.read_text())
    }
    known = get_resolver().namespace_dict
    assert len(named) > 20
    assert {(app, name) for app, name in named if name not in known[app][1].reverse_dict} == set()
