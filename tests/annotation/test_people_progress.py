"""What the people of a study have done: who sees it, what it counts, and its files."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import skipping
from annotation.models import Annotation, Assignment, Standing
from annotation.people_progress import Days, by_day, people
from studies.models import Membership
from studies.pseudonyms import pseudonym
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


@pytest.fixture
def study():
    return factories.study(created_at=NOON - timedelta(days=30))


@pytest.fixture
def work(study):
    """Three people: one with three answers, one with one, one with none."""
    factories.pairs(study, 12)
    names = ("lab-10", "lab-2", "lab-1")
    found = {name: factories.member(study, "annotator", username=name) for name in names}
    for name, count in zip(names, (3, 1, 0), strict=True):
        for number in range(count):
            factories.answer(found[name], study, unsure=number == 0)
    return found


def moved(assignment, to):
    """Store an answer at another time, which only the owner of the tables can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE annotation_annotation SET submitted_at = %s WHERE assignment_id = %s", [to, assignment])
        cursor.execute("UPDATE annotation_assignment SET ended_at = %s WHERE id = %s", [to, assignment])
        cursor.execute("SET LOCAL session_replication_role = origin")


def figures(study, **days):
    return {row.username: row.figures for row in people(study, Days(UTC, **days))}


def test_everybody_who_annotates_is_counted_by_name_as_people_read_it(study, work, annotator):
    rows = people(study, Days(UTC))
    assert [row.username for row in rows] == ["lab-1", "lab-2", "lab-10", annotator.username]
    assert [row.figures.pairs for row in rows] == [0, 1, 3, 0]
    assert [row.figures.unsure for row in rows] == [0, 1, 1, 0]
    active_ms = sum(Annotation.objects.filter(author=work["lab-10"]).values_list("active_ms", flat=True))
    assert figures(study)["lab-10"].active_ms == active_ms


def test_what_does_not_count_is_not_used_and_skips_are_counted_nowhere(study, work):
    first, second, _third = Standing.objects.filter(assignment__person=work["lab-10"]).order_by("pk")
    Standing.objects.filter(pk=first.pk).update(counted=False, uncounted_reason="surplus")
    Standing.objects.filter(pk=second.pk).update(validity="invalid", reason="contradiction")
    skipping.skip(
        Assignment.objects.filter(person=work["lab-10"], state="leased").first(), work["lab-10"], reason="cannot_judge"
    )
    found = figures(study)["lab-10"]
    assert (found.pairs, found.uncounted, found.invalid, found.used) == (3, 1, 1, 1)


def test_who_no_longer_annotates_keeps_their_figures(study, work):
    Membership.objects.filter(person=work["lab-2"]).delete()
    row = next(row for row in people(study, Days(UTC)) if row.username == "lab-2")
    assert (row.is_annotator, row.figures.pairs) == (False, 1)


def test_days_include_the_first_and_the_last_in_the_time_zone_asked_for(study, work):
    given = Assignment.objects.filter(person=work["lab-10"], state="submitted").order_by("pk")
    for assignment, hours in zip(given, (-12, 0, 11.99), strict=True):
        moved(assignment.pk, NOON + timedelta(hours=hours))
    day = NOON.date()
    assert figures(study, first=day, last=day)["lab-10"].pairs == 3
    assert figures(study, first=day + timedelta(days=1))["lab-10"].pairs == 0
    assert figures(study, last=day - timedelta(days=1))["lab-10"].pairs == 0
    whom = {"person_id": work["lab-10"].pk}
    assert [(row.day, row.figures.pairs) for row in by_day(study, Days(UTC), **whom)] == [(day, 3)]
    berlin = Days(ZoneInfo("Europe/Berlin"))  # an hour ahead, so the last answer is of the next day
    assert [(row.day.day, row.figures.pairs) for row in by_day(study, berlin, **whom)] == [(11, 1), (10, 2)]


@pytest.fixture
def page(study, browser_client):
    def get(person, name="people_progress", *about, **query):
        return browser_client(person).get(reverse(f"annotation:{name}", args=[study.slug, *about]), query)

    return get


def test_only_admins_see_what_a_person_is_called_in_files(study, work, admin, researcher, page):
    code = pseudonym(study, work["lab-10"].pk)
    whom = work["lab-10"].pk
    assert code in page(admin).content.decode()
    assert code in page(admin, "person_progress", whom).content.decode()
    assert code not in page(researcher).content.decode()
    assert code not in page(researcher, "person_progress", whom).content.decode()


def lines(response):
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def test_the_file_has_a_line_for_each_person_and_leaves_an_audit_row(study, work, admin, researcher, page):
    rows = lines(page(admin, "people_csv"))
    row = next(row for row in rows if row["username"] == "lab-10")
    assert (row["annotator_id"], row["pairs"], row["used"]) == (pseudonym(study, work["lab-10"].pk), "3", "3")
    assert float(row["active_s"]) == round(figures(study)["lab-10"].active_ms / 1000, 1)
    assert "annotator_id" not in lines(page(researcher, "people_csv"))[0]
    events = AuditEvent.objects.filter(action="people.downloaded").order_by("pk")
    assert [(event.actor, event.after["codes"]) for event in events] == [(admin, True), (researcher, False)]


def test_the_file_of_days_has_a_line_for_each_person_and_day(study, work, researcher, page):
    earlier = Assignment.objects.filter(person=work["lab-10"], state="submitted").first()
    moved(earlier.pk, NOON)
    found = [(row["username"], row["day"], row["pairs"]) for row in lines(page(researcher, "people_days_csv"))]
    today = timezone.now().date().isoformat()
    assert found == [("lab-2", today, "1"), ("lab-10", today, "2"), ("lab-10", "2026-11-10", "1")]


def test_the_list_is_sorted_filtered_and_leads_to_each_persons_days(study, work, researcher, page):
    text = page(researcher, sort="pairs").content.decode()
    assert text.index(">lab-10<") < text.index(">lab-2<") < text.index(">lab-1<")
    assert reverse("annotation:person_progress", args=[study.slug, work["lab-10"].pk]) in text
    none = page(researcher, first="2020-01-01", last="2020-01-31").content.decode()
    assert "person_progress" not in none
    assert "?first=2020-01-01&amp;last=2020-01-31" in none  # the files have the same days
    mine = page(researcher, "person_progress", work["lab-10"].pk, first="2020-01-01", last="2020-01-31")
    assert "No answers in these days." in mine.content.decode()


@pytest.mark.parametrize(
    "query", [{"first": "yesterday"}, {"first": "2026-02-02", "last": "2026-02-01"}, {"last": "9999-12-31"}]
)
def test_days_that_are_none_are_refused_with_a_sentence(researcher, page, query):
    response = page(researcher, **query)
    assert response.status_code == 400
    assert "All days are shown." in response.content.decode()
    assert page(researcher, "people_csv", **query).status_code == 404


def test_people_lead_to_their_progress(study, work, researcher, browser_client):
    client = browser_client(researcher)
    listed = client.get(reverse("studies:people", args=[study.slug])).content.decode()
    assert reverse("annotation:people_progress", args=[study.slug]) in listed
    one = client.get(reverse("studies:person", args=[study.slug, work["lab-2"].pk])).content.decode()
    assert reverse("annotation:person_progress", args=[study.slug, work["lab-2"].pk]) in one


def test_who_has_not_begun_has_a_page_and_who_never_annotated_has_none(study, researcher, page):
    person = factories.person()
    assert page(researcher, "person_progress", person.pk).status_code == 404
    Membership.objects.create(study=study, person=person, role="annotator")
    assert "No answers in these days." in page(researcher, "person_progress", person.pk).content.decode()


def test_a_study_without_annotators_says_what_to_do(browser_client):
    empty = factories.study()
    response = browser_client(factories.member(empty, "admin")).get(
        reverse("annotation:people_progress", args=[empty.slug])
    )
    assert "Nobody annotates in this study yet." in response.content.decode()
