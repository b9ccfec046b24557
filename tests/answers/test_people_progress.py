"""How much each person of a study has done: who sees it, what is counted, and the CSV files."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import skipping
from annotation.models import Annotation, Assignment, Standing
from answers import sums
from answers.models import AnsweredSum
from answers.people_progress import Days, by_day, people
from studies.models import Membership
from studies.pseudonyms import pseudonym
from tests import factories
from tests.annotation.test_concurrency import at_once

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
    """Create three people: one with three answers, one with one, one with none."""
    factories.pairs(study, 12)
    names = ("lab-10", "lab-2", "lab-1")
    found = {name: factories.member(study, "annotator", username=name) for name in names}
    for name, count in zip(names, (3, 1, 0), strict=True):
        for number in range(count):
            factories.answer(found[name], study, unsure=number == 0)
    return found


def moved(assignment, to):
    """Move an answer to another time, which only the owner of the tables can do."""
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


def test_uncounted_answers_are_not_used_and_skips_are_not_counted(study, work):
    first, second, _third = Standing.objects.filter(assignment__person=work["lab-10"]).order_by("pk")
    Standing.objects.filter(pk=first.pk).update(counted=False, uncounted_reason="surplus")
    Standing.objects.filter(pk=second.pk).update(validity="invalid", reason="contradiction")
    skipping.skip(
        Assignment.objects.filter(person=work["lab-10"], state="leased").first(), work["lab-10"], reason="cannot_judge"
    )
    found = figures(study)["lab-10"]
    assert (found.pairs, found.uncounted, found.invalid, found.used) == (3, 1, 1, 1)


def test_people_who_no_longer_annotate_keep_their_figures(study, work):
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
    berlin = Days(ZoneInfo("Europe/Berlin"))  # an hour ahead, so the last answer is on the next day
    assert [(row.day.day, row.figures.pairs) for row in by_day(study, berlin, **whom)] == [(11, 1), (10, 2)]


@pytest.fixture
def page(study, browser_client):
    def get(person, name="people_progress", *about, **query):
        return browser_client(person).get(reverse(f"answers:{name}", args=[study.slug, *about]), query)

    return get


def test_only_admins_see_pseudonyms(study, work, admin, researcher, page):
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


@pytest.mark.long
def test_the_list_is_sorted_filtered_and_leads_to_each_persons_days(study, work, researcher, page):
    text = page(researcher, sort="pairs").content.decode()
    assert text.index(">lab-10<") < text.index(">lab-2<") < text.index(">lab-1<")
    assert reverse("answers:person_progress", args=[study.slug, work["lab-10"].pk]) in text
    none = page(researcher, first="2020-01-01", last="2020-01-31").content.decode()
    assert "person_progress" not in none
    assert "?first=2020-01-01&amp;last=2020-01-31" in none  # the files have the same days
    mine = page(researcher, "person_progress", work["lab-10"].pk, first="2020-01-01", last="2020-01-31")
    assert "There are no answers on these days." in mine.content.decode()


@pytest.mark.parametrize(
    "query", [{"first": "yesterday"}, {"first": "2026-02-02", "last": "2026-02-01"}, {"last": "9999-12-31"}]
)
def test_invalid_days_are_refused_with_a_sentence(researcher, page, query):
    response = page(researcher, **query)
    assert response.status_code == 400
    assert "All days are shown." in response.content.decode()
    assert page(researcher, "people_csv", **query).status_code == 404


@pytest.mark.long
def test_people_lead_to_their_progress(study, work, researcher, browser_client):
    client = browser_client(researcher)
    listed = client.get(reverse("studies:people", args=[study.slug])).content.decode()
    assert reverse("answers:people_progress", args=[study.slug]) in listed
    one = client.get(reverse("studies:person", args=[study.slug, work["lab-2"].pk])).content.decode()
    assert reverse("answers:person_progress", args=[study.slug, work["lab-2"].pk]) in one


def test_an_annotator_without_answers_has_a_page_and_others_have_none(study, researcher, page):
    person = factories.person()
    assert page(researcher, "person_progress", person.pk).status_code == 404
    Membership.objects.create(study=study, person=person, role="annotator")
    assert "There are no answers on these days." in page(researcher, "person_progress", person.pk).content.decode()


def test_a_study_without_annotators_says_what_to_do(browser_client):
    empty = factories.study()
    response = browser_client(factories.member(empty, "admin")).get(
        reverse("answers:people_progress", args=[empty.slug])
    )
    assert "Nobody annotates in this study yet." in response.content.decode()


class TestStoredSums:
    """Large studies have stored sums. The list adds the answers after them, so it is always complete."""

    @pytest.fixture(autouse=True)
    def large(self, monkeypatch):
        monkeypatch.setattr(sums, "LARGE", 1)

    @staticmethod
    def rows(study):
        return [(row.username, row.figures, row.first_at, row.last_at) for row in people(study, Days(UTC))]

    def test_the_list_is_the_same_with_them(self, study, work):
        for assignment in Assignment.objects.filter(study=study, state="submitted"):
            moved(assignment.pk, NOON - timedelta(days=1))
        before = self.rows(study)
        assert sums.add_up() == 2
        assert self.rows(study) == before
        assert {row.pairs for row in AnsweredSum.objects.all()} == {3, 1}

    @pytest.mark.long
    def test_new_answers_are_shown_at_once_and_added_once(self, study, work):
        for assignment in Assignment.objects.filter(study=study, state="submitted"):
            moved(assignment.pk, timezone.now() - timedelta(days=1))
        sums.add_up()
        factories.answer(work["lab-1"], study)
        latest = factories.answer(work["lab-2"], study)
        before = self.rows(study)
        assert [figures.pairs for _name, figures, *_times in before] == [1, 2, 3]
        assert sums.add_up() == 0  # they are too new
        AnsweredSum.objects.update(until=timezone.now() - timedelta(hours=12))
        moved(latest.pk, timezone.now() - timedelta(hours=1))
        assert sums.add_up() == 1
        assert sums.add_up() == 0
        assert [figures.pairs for _name, figures, *_times in self.rows(study)] == [1, 2, 3]

    def test_days_are_counted_without_them(self, study, work):
        for assignment in Assignment.objects.filter(study=study, state="submitted"):
            moved(assignment.pk, NOON - timedelta(days=1))
        sums.add_up()
        day = (NOON - timedelta(days=1)).date()
        assert {name: one.pairs for name, one in figures(study, first=day).items()} == {
            "lab-10": 3,
            "lab-2": 1,
            "lab-1": 0,
        }
        assert not any(one.pairs for one in figures(study, last=day - timedelta(days=1)).values())

    def test_a_small_study_has_none(self, study, work, monkeypatch):
        monkeypatch.setattr(sums, "LARGE", 1_000)
        assert sums.add_up() == 0
        assert not AnsweredSum.objects.exists()


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_add_each_answer_once():
    study = factories.study(created_at=NOON - timedelta(days=30))
    factories.pairs(study, 3)
    person = factories.member(study, "annotator")
    for _ in range(3):
        answered = factories.answer(person, study)
        with transaction.atomic():
            moved(answered.pk, NOON - timedelta(days=1))
    at_once(*[lambda: sums.add(study)] * 3)
    assert AnsweredSum.objects.get().pairs == 3
