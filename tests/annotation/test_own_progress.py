"""A person's own progress today and in the current batch, in the workspace and in the list of studies."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.days import day_began
from annotation import seats, serving, skipping
from annotation.models import Annotation
from annotation.own_progress import NOTHING_YET, BatchPlace, lines, own_progress
from catalog.models import Pair
from tests import factories
from tests.figures.figuring import given

pytestmark = pytest.mark.django_db


@pytest.fixture
def pairs(study):
    return factories.pairs(study, 5)


@pytest.fixture
def progress(study, annotator):
    def of(person=annotator, among=study, **values):
        began = day_began(person, timezone.now())
        return own_progress(person, [among.pk], began, **values).get(among.pk)

    return of


def test_todays_answers_are_counted_with_their_active_time(study, annotator, pairs, progress):
    for _ in range(2):
        factories.answer(annotator, study)
    assert progress().answers == 2
    assert progress().active_ms == sum(Annotation.objects.values_list("active_ms", flat=True))


def test_yesterday_is_not_today_and_the_day_is_the_persons(study, annotator, pairs, progress):
    seats.locked_seat(annotator, study)
    midnight = day_began(annotator, timezone.now())
    for pair, ended_at in zip(pairs, (midnight, midnight - timedelta(seconds=1)), strict=False):
        given(pair, annotator, active_ms=7000, assignment={"ended_at": ended_at})
    assert (progress().answers, progress().active_ms) == (1, 7000)
    annotator.time_zone = "Pacific/Kiritimati"  # UTC+14: the last hours of a day in UTC are the next day there
    began = day_began(annotator, timezone.now())
    assert progress().answers == (2 if began < midnight else 0)


@pytest.mark.long
def test_neither_other_people_nor_other_studies_count(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    assert progress(factories.member(study, "annotator")) == NOTHING_YET
    assert progress(among=factories.study()) is None


def test_the_batch_counts_own_answers_and_what_the_person_can_still_be_given(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    assert progress().batch == BatchPlace(1, answered=1, left=4)
    Pair.objects.filter(pk=pairs[-1].pk).update(held="looked at")
    leased = serving.lease(annotator, study)
    assert progress().batch == BatchPlace(1, answered=1, left=3)  # the person's leased pairs are included
    factories.answer(factories.member(study, "annotator"), study)
    assert progress().batch == BatchPlace(1, answered=1, left=2)
    skipping.skip(leased.current, annotator, reason="cannot_judge")
    assert progress().batch == BatchPlace(1, answered=1, left=1)


def test_opted_out_harms_and_other_languages_are_not_counted_as_left(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    annotator.seats.update(excluded=["violence"])
    Pair.objects.filter(pk=pairs[4].pk).update(may_show=["violence"], lane=1)
    assert progress().batch.left == 3
    pairs[3].prompt.language = "zh-Hans"
    pairs[3].prompt.save()
    annotator.seats.update(languages=["zh"])
    assert progress().batch.left == 1


def test_the_current_pair_sets_the_batch_and_any_batch_can_be_requested(study, annotator, pairs, progress):
    for _ in pairs:
        factories.answer(annotator, study)
    later = factories.pair(study, batch=factories.batch(study, number=2))
    assert progress().batch == BatchPlace(1, answered=5, left=0)
    assert serving.lease(annotator, study).current.pair == later
    assert progress().batch == BatchPlace(2, answered=0, left=1)
    assert progress(batch=1).batch == BatchPlace(1, answered=5, left=0)
    assert progress(batch=7).batch is None


def test_a_batch_that_is_being_checked_has_no_pairs_left(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    pairs[0].batch.state = "in_review"
    pairs[0].batch.save()
    assert progress().batch == BatchPlace(1, answered=1, left=0)


def test_the_api_returns_the_same_and_a_pair_names_its_batch(api, study, annotator, pairs):
    client = api(annotator)
    address = f"/api/v1/studies/{study.slug}/own-progress/"
    assert client.get(address).json() == {"today": {"answers": 0, "active_ms": 0}, "batch": None}
    leased = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()
    assert (leased["current"]["batch"], leased["next"]["batch"]) == (1, 1)
    assert client.get(address).json()["batch"] == {"number": 1, "answered": 0, "left": 5}
    assert client.get(address, {"batch": "0"}).status_code == 400


@pytest.mark.long
def test_the_list_of_studies_shows_it_to_annotators_only(study, annotator, pairs, browser_client):
    def page(person):
        return browser_client(person).get(reverse("home"), {"all": "1"}).content.decode()

    assert "No answers yet today" in page(annotator)
    factories.answer(annotator, study)
    assert "Today: 1 pair, " in page(annotator)
    assert "Batch 1: 1 answered, up to 4 left for you" in page(annotator)
    assert "own-work" not in page(factories.member(study, "researcher"))


def test_a_closed_study_offers_no_work(study, annotator, pairs, browser_client):
    client, workspace = browser_client(annotator), reverse("annotation:workspace", args=[study.slug])
    assert workspace in client.get(reverse("home"), {"all": "1"}).content.decode()
    study.state = "closed"
    study.save()
    page = client.get(reverse("home"))  # nobody is redirected to a workspace without work
    assert page.status_code == 200
    assert workspace not in page.content.decode()
    assert reverse("studies:guideline", args=[study.slug]) in page.content.decode()


def test_a_batch_without_pairs_for_the_person_says_so(study, annotator, pairs):
    for _ in pairs:
        factories.answer(annotator, study)
    assert lines(annotator, [study])[study.pk].endswith(f"Batch 1: {len(pairs)} answered, none left for you")


def test_the_workspace_begins_with_the_numbers_of_today(study, annotator, pairs, browser_client):
    factories.answer(annotator, study)
    page = browser_client(annotator).get(reverse("annotation:workspace", args=[study.slug])).content.decode()
    assert 'data-answered-today="1"' in page
    assert f'data-active-today-ms="{Annotation.objects.get().active_ms}"' in page


def test_nobody_is_promised_pairs_that_they_do_not_get(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    seat = annotator.seats.get(study=study)
    for values in ({"consented_version": 0}, {"suspended_at": timezone.now()}):
        type(seat).objects.filter(pk=seat.pk).update(**values)
        assert (progress().answers, progress().batch) == (1, None)
        seat.save()
    assert "left for you" in lines(annotator, [study])[study.pk]
    study.state = study.State.CLOSED
    assert lines(annotator, [study])[study.pk].startswith("Today: 1 pair")
    assert "left for you" not in lines(annotator, [study])[study.pk]
