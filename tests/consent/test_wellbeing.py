"""Who sees people's exposure: the person and the wellbeing contact by name, managers in groups, nobody else."""

import ast
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import serving
from annotation.models import Break, Exposure
from consent import agreements, exposure_groups, wellbeing
from qc import reviewing
from studies.models import Study
from tests import factories

pytestmark = pytest.mark.django_db

#: A Wednesday. The last complete weeks began on 9 March 2026 and before.
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
MONDAY = datetime(2026, 3, 9, tzinfo=UTC).date()
DISTRESSED = {"care": {"revealed_s": {"video_0": 30.0, "video_1": 20.0}, "hidden": 3}}


@pytest.fixture
def contact(study):
    return factories.member(study, "wellbeing_contact")


def exposed(study, person, day, seconds=60.0, **values):
    """Create a reported exposure of the person on that day."""
    pair = factories.pair(study, may_show=["violence"])
    assignment = factories.assignment(study, person, pair)
    return Exposure.objects.create(
        assignment=assignment, study=study, person=person, day=day, revealed_s=seconds, **values
    )


def wellbeing_of(study, *more):
    return reverse("consent:wellbeing", args=[study.slug, *more])


class TestOnesOwn:
    def test_a_person_sees_their_days_and_what_they_left_out(self, study, annotator):
        today = timezone.localdate()
        exposed(study, annotator, today, 90, hidden=2)
        exposed(study, annotator, today, 30, too_distressing=True)
        exposed(study, annotator, today - timedelta(days=13), 10)
        exposed(study, annotator, today - timedelta(days=14), 999)
        exposed(study, factories.member(study, "annotator"), today, 999)
        agreements.agree(annotator, study, categories=["crime"], text="I agree.")
        own = wellbeing.own_summary(annotator, study).summary
        assert (own.days[-1].seconds, own.days[-1].pairs, own.days[0].seconds) == (120, 2, 10)
        assert (own.seconds, own.hidden, own.too_distressing) == (130, 2, 1)
        assert "crime" not in [harm.key for harm in own.opted_out]
        assert len(own.opted_out) == 11

    def test_it_is_on_the_consent_page(self, browser_client, study, annotator):
        exposed(study, annotator, timezone.localdate(), 3 * 60)
        page = browser_client(annotator).get(reverse("consent:page", args=[study.slug])).content.decode()
        assert "Content I have seen" in page
        assert "3 minutes" in page

    def test_the_day_is_the_persons_own(self, study):
        far = factories.member(study, "annotator", time_zone="Pacific/Kiritimati")  # UTC+14
        near = factories.member(study, "annotator")
        for person in (far, near):
            began = datetime(2026, 3, 17, 11, tzinfo=UTC)
            Break.objects.create(study=study, person=person, why="work", began_at=began, ends_at=NOW)
        ahead, here = wellbeing.summaries(study, [far, near], NOW.date())
        assert [day.breaks for day in ahead.days[-2:]] == [0, 1]
        assert [day.breaks for day in here.days[-2:]] == [1, 0]

    @pytest.mark.long
    def test_reviewing_counts_too(self, study, contact, browser_client):
        lot = factories.lot_in_review(study, pair={"may_show": ["violence"]})
        reviewer = factories.reviewer(study, username="careful")
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        reviewing.record_exposure(review, reviewer, DISTRESSED["care"])
        reviewing.give_back(review, reviewer)
        [summary] = wellbeing.summaries(study, [reviewer], wellbeing.last_day(study))
        assert (summary.seconds, summary.hidden) == (50, 3)
        assert wellbeing.own_summary(reviewer, study).summary.seconds == 50
        skipped = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        for _ in range(2):
            reviewing.skip(skipped, reviewer, reason="too_distressing")
        [summary] = wellbeing.summaries(study, [reviewer], wellbeing.last_day(study))
        assert summary.too_distressing == 1
        [event] = AuditEvent.objects.filter(action="review.skipped")
        assert "distress" not in json.dumps([event.before, event.after])
        page = browser_client(contact).get(wellbeing_of(study), {"order": "exposure"}).content.decode()
        assert "careful" in page
        [first, *_] = wellbeing.people(study, wellbeing.last_day(study), "exposure")
        assert (first, first.seen_s) == (reviewer, 58)  # the estimate of what was skipped without a report stays

    def test_unreported_exposure_counts_as_estimated(self, study, annotator):
        factories.pair(study, may_show=["violence"])
        serving.lease(annotator, study)
        expected = Exposure.objects.get().expected_s
        assert expected > 0
        assert wellbeing.own_summary(annotator, study).summary.seconds == expected


class TestTheWellbeingContact:
    def test_sees_everybody_by_name_and_each_look_is_recorded(self, browser_client, study, contact):
        person = factories.member(study, "annotator", first_name="Wren", last_name="Example")
        exposed(study, person, timezone.localdate(), 600, hidden=4)
        page = browser_client(contact).get(wellbeing_of(study)).content.decode()
        row = page.split("Wren Example")[1].split("</tr>")[0]
        assert ">10<" in row
        assert ">4<" in row
        looked = AuditEvent.objects.get(action="wellbeing.viewed")
        assert (looked.actor, looked.study_slug) == (contact, study.slug)

    def test_sees_one_persons_days_and_that_is_recorded(self, browser_client, study, contact, annotator):
        agreements.agree(annotator, study, categories=["crime"], text="I agree.")
        page = (
            browser_client(contact)
            .get(reverse("consent:wellbeing_person", args=[study.slug, annotator.pk]))
            .content.decode()
        )
        assert "Violence, Injury, Gory Content" in page
        looked = AuditEvent.objects.get(action="wellbeing.person_viewed")
        assert looked.subject_id == str(annotator.pk)

    @pytest.mark.long
    def test_people_of_other_studies_do_not_exist(self, browser_client, study, contact):
        elsewhere = factories.member(factories.study(), "annotator")
        address = reverse("consent:wellbeing_person", args=[study.slug, elsewhere.pk])
        assert browser_client(contact).get(address).status_code == 404
        assert not AuditEvent.objects.filter(action="wellbeing.person_viewed").exists()

    @pytest.mark.long
    def test_the_most_exposed_can_come_first_and_long_lists_have_pages(self, browser_client, study, contact):
        people = [factories.member(study, "annotator") for _ in range(52)]
        exposed(study, people[-1], timezone.localdate(), 600)
        client = browser_client(contact)
        first = client.get(wellbeing_of(study), {"order": "exposure"}).context["summaries"]
        assert (first[0].person, len(first)) == (people[-1], 50)
        assert len(client.get(wellbeing_of(study), {"page": 2}).context["summaries"]) == 2
        assert client.get(wellbeing_of(study), {"page": "x", "order": "pay"}).status_code == 200

    @pytest.mark.long
    def test_a_list_needs_the_same_queries_for_many_as_for_few(
        self, browser_client, study, contact, django_assert_max_num_queries
    ):
        for _ in range(20):
            exposed(study, factories.member(study, "annotator"), timezone.localdate())
        client = browser_client(contact)
        with django_assert_max_num_queries(17):
            client.get(wellbeing_of(study))


class TestManagers:
    def groups(self, study, now=NOW):
        return {week.monday: week for week in exposure_groups.weeks(study, now)}

    def people(self, study, count, **values):
        return [factories.member(study, "annotator", **values) for _ in range(count)]

    def test_a_week_of_five_people_is_published_and_one_of_four_is_not(self, study):
        people = self.people(study, 5)
        for person in people:
            exposed(study, person, MONDAY, 120, hidden=1)
        for person in people[:4]:
            exposed(study, person, MONDAY - timedelta(days=7), 3600, hidden=9, too_distressing=True)
        weeks = self.groups(study)
        assert (weeks[MONDAY].people, weeks[MONDAY].minutes_each, weeks[MONDAY].hidden) == (5, 2, 5)
        before = weeks[MONDAY - timedelta(days=7)]
        assert before == exposure_groups.Week(before.monday)

    def test_a_week_with_nobody_looks_like_one_with_four(self, study):
        assert all(week == exposure_groups.Week(week.monday) for week in exposure_groups.weeks(study, NOW))

    def test_a_week_that_is_not_over_everywhere_is_not_published(self, study):
        for person in self.people(study, 6):
            exposed(study, person, MONDAY, 60)
        monday_noon = datetime(2026, 3, 16, 11, 59, tzinfo=UTC)  # still Sunday in the last time zone
        assert MONDAY not in self.groups(study, monday_noon)
        assert MONDAY not in self.groups(study, monday_noon + timedelta(days=1))  # for people who changed their zone
        assert MONDAY in self.groups(study, monday_noon + timedelta(days=2))

    def test_the_figures_of_a_week_are_the_same_on_every_later_day(self, study):
        people = self.people(study, 6)
        for person in people:
            exposed(study, person, MONDAY, 60)
        published = self.groups(study)[MONDAY]
        exposed(study, people[0], MONDAY + timedelta(days=7), 999)
        for days in range(1, 4):
            assert self.groups(study, NOW + timedelta(days=days))[MONDAY] == published

    def test_breaks_of_people_who_saw_nothing_add_nothing(self, study):
        people = self.people(study, 6)
        for person in people[:5]:
            exposed(study, person, MONDAY, 60)
        for person in people:
            began = datetime(2026, 3, 10, 9, tzinfo=UTC)
            Break.objects.create(
                study=study, person=person, why="work", began_at=began, ends_at=began + timedelta(hours=1)
            )
        assert self.groups(study)[MONDAY].breaks == 5

    def agreed(self, study, left_out, count):
        for _ in range(count):
            kept = [key for key in study.categories if key not in left_out]
            person = factories.person()
            person.memberships.create(study=study, role="annotator")
            agreements.agree(person, study, categories=kept, text="I agree.")

    def left_out(self, study):
        """Return the numbers as they are published next week."""
        published = exposure_groups.leaving_out(study, timezone.now() + timedelta(days=7))
        return published.people, {left.harm.key: left.at_least for left in published.harms}

    def test_left_out_harms_are_published_in_steps_of_five(self, study):
        self.agreed(study, ["violence"], 7)
        self.agreed(study, ["crime"], 6)
        people, left_out = self.left_out(study)
        assert (people, left_out["violence"], left_out["crime"]) == (10, 5, 5)
        assert left_out["porn"] is None  # 0 people look the same as 1 to 4

    def test_they_are_not_published_if_fewer_than_five_kept_the_harm(self, study):
        self.agreed(study, ["violence"], 9)
        self.agreed(study, [], 4)
        assert self.left_out(study)[1]["violence"] is None

    def test_nothing_is_published_of_fewer_than_five_people(self, study):
        self.agreed(study, ["violence"], 4)
        assert self.left_out(study) == (None, {})

    def test_harms_left_out_today_are_not_published_this_week(self, study):
        self.agreed(study, ["violence"], 9)
        assert exposure_groups.leaving_out(study).people is None


@pytest.fixture
def distressed(study, api):
    """Return an annotator who hid videos, skipped a pair as too distressing, left harms out, and answered the rest."""
    person = factories.member(study, "annotator", username="quillon", first_name="Quillon", last_name="Example")
    factories.pairs(study, 3, may_show=["violence"])
    client = api(person)
    address = f"/api/v1/studies/{study.slug}/assignments/"
    held = client.post(address).json()["current"]["id"]
    skipped = client.post(
        f"/api/v1/assignments/{held}/skip/", {"reason": "too_distressing", **DISTRESSED}, format="json"
    )
    assert skipped.status_code == 200, skipped.content
    held = skipped.json()["current"]["id"]
    submitted = client.post(f"/api/v1/assignments/{held}/submit/", factories.body() | DISTRESSED, format="json")
    assert submitted.status_code in {200, 201}, submitted.content
    agreements.agree(person, study, categories=["crime"], text="I agree to less.")
    return person


class TestPrivacyOfExposure:
    WORDS = ("too_distressing", "hidden", "excluded", "revealed_s", "opted", "distress")

    def test_managers_and_reviewers_see_no_name_on_any_page(self, browser_client, study, distressed):
        for role in ("researcher", "admin", "reviewer"):
            client = browser_client(factories.member(study, role))
            for name in ("consent:exposure", "figures:dashboard"):
                response = client.get(reverse(name, args=[study.slug]))
                if response.status_code == 403:
                    continue
                assert "uillon" not in response.content.decode(), (role, name)

    def test_wellbeing_is_for_the_contact_only(self, browser_client, study, distressed):
        for role in ("annotator", "researcher", "admin", "reviewer"):
            client = browser_client(factories.member(study, role))
            assert client.get(wellbeing_of(study)).status_code == 403
            address = reverse("consent:wellbeing_person", args=[study.slug, distressed.pk])
            assert client.get(address).status_code == 403

    def test_the_file_of_annotations_says_nothing_of_it(self, api, study, researcher, distressed):
        response = api(researcher).get(reverse("api:annotations", args=[study.slug]))
        text = response.getvalue().decode()
        assert [json.loads(line) for line in text.splitlines()]
        assert not [word for word in self.WORDS if word in text]
        assert "uillon" not in text

    def test_the_record_of_changes_says_that_it_was_skipped_but_not_why(self, distressed):
        rows = AuditEvent.objects.filter(actor=distressed)
        assert rows.filter(action="assignment.skipped").count() == 1
        published = json.dumps([[row.before, row.after] for row in rows])
        assert not [word for word in (*self.WORDS, "crime", "violence") if word in published]

    def test_the_person_and_the_contact_do_see_it(self, study, distressed):
        own = wellbeing.own_summary(distressed, study).summary
        assert (own.hidden, own.too_distressing) == (6, 1)
        assert own.seconds >= 50


#: Names of everything that reveals a person's exposure: tables, columns and reasons.
EXPOSURE_WORDS = {"Exposure", "Dose", "Break", "exposure", "too_distressing", "exposures", "doses", "wellbeing"}
EXPOSURE_TABLES = ("annotation_exposure", "annotation_dose", "annotation_break", "too_distressing")

#: Modules that give pairs to reviewers within their own daily limit, and record what they saw. No figure reads them.
LEASES = {
    f"qc/{name}.py"
    for name in (
        "reviewing",
        "calibrating",
        "review_exposure",
        "api_reviews",
        "models/reviews",
        "migrations/0001_initial",
    )
}


class TestFiguresDoNotUseExposure:
    def sources(self):
        root = Path(settings.BASE_DIR)
        for app in ("qc", "exports", "training"):
            yield from (path for path in (root / app).rglob("*.py") if path.relative_to(root).as_posix() not in LEASES)
        yield root / "answers" / "study_progress.py"

    def words_of(self, source):
        """Return names, attributes, imports and strings of a module, without its docstrings and comments."""
        tree = ast.parse(source)
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)):
                    yield from word.split("__")
                case ast.alias(name=word):
                    yield from word.split(".")
                case ast.ImportFrom(module=str(module)):
                    yield from module.split(".")
                case ast.Constant(value=str(text)) if id(node) not in docstrings:
                    yield from (table for table in EXPOSURE_TABLES if table in text)
                    yield from text.split("__")

    @pytest.mark.long
    def test_quality_releases_and_training_do_not_touch_exposure(self):
        looked_at = 0
        for path in self.sources():
            looked_at += 1
            touched = EXPOSURE_WORDS.union(EXPOSURE_TABLES).intersection(self.words_of(path.read_text()))
            assert not touched, f"{path} reads {touched}: exposure, hiding and distress enter no figure."
        assert looked_at > 10

    @pytest.mark.parametrize(
        "source",
        [
            "from annotation.models import Exposure",
            "from annotation.models.exposure import Dose",
            "Assignment.objects.exclude(skip_reason='too_distressing')",
            "Assignment.objects.filter(exposure__hidden__gt=0)",
            "COUNTS = 'SELECT count(*) FROM annotation_break'",
            "study.exposures.count()",
        ],
    )
    def test_the_test_would_notice(self, source):
        assert EXPOSURE_WORDS.union(EXPOSURE_TABLES).intersection(self.words_of(source))

    def test_a_study_page_of_the_api_says_nothing_of_it(self, api, study, distressed):
        for role in ("researcher", "admin", "reviewer", "wellbeing_contact"):
            answer = api(factories.member(study, role)).get(f"/api/v1/studies/{study.slug}/").content.decode()
            assert not [word for word in (*EXPOSURE_TABLES, "excluded", "uillon") if word in answer]


def test_home_leads_the_contact_to_wellbeing_and_researchers_to_groups(browser_client, study, contact, researcher):
    assert wellbeing_of(study) in browser_client(contact).get("/?all=1").content.decode()
    dashboard = browser_client(researcher).get(reverse("figures:dashboard", args=[study.slug])).content.decode()
    assert reverse("consent:exposure", args=[study.slug]) in dashboard
    assert Study.objects.count() == 1
