"""A person's own progress: today, and in the batch at hand, as the workspace and the list of studies show it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation import exposure, serving, skipping
from annotation.models import Annotation, Assignment
from annotation.own_progress import NOTHING_YET, BatchPlace, own_progress
from catalog.models import Pair
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pairs(study):
    return factories.pairs(study, 5)


@pytest.fixture
def progress(study, annotator):
    def of(person=annotator, among=study, **values):
        day_began = exposure.day_began(person, timezone.now())
        return own_progress(person, [among.pk], day_began, **values).get(among.pk)

    return of


def test_what_was_answered_today_is_counted_with_its_active_time(study, annotator, pairs, progress):
    for _ in range(2):
        factories.answer(annotator, study)
    assert progress().answers == 2
    assert progress().active_ms == sum(Annotation.objects.values_list("active_ms", flat=True))


def test_yesterday_is_not_today_and_the_day_is_the_persons(study, annotator, pairs, progress):
    given = factories.answer(annotator, study)
    Assignment.objects.filter(pk=given.pk).update(ended_at=exposure.day_began(annotator, timezone.now()))
    assert progress().answers == 1
    Assignment.objects.filter(pk=given.pk).update(
        ended_at=exposure.day_began(annotator, timezone.now()) - timedelta(seconds=1)
    )
    assert (progress().answers, progress().active_ms) == (0, 0)
    annotator.time_zone = "Pacific/Kiritimati"  # 14 hours ahead: the day before UTC's midnight is today there, or not
    began = exposure.day_began(annotator, timezone.now())
    assert progress().answers == (began < exposure.day_began(factories.person(), timezone.now()))


def test_neither_other_people_nor_other_studies_count(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    assert progress(factories.member(study, "annotator")) == NOTHING_YET
    assert progress(among=factories.study()) is None


def test_the_batch_counts_own_answers_and_what_the_person_can_still_be_given(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    assert progress().batch == BatchPlace(1, answered=1, left=4)
    Pair.objects.filter(pk=pairs[-1].pk).update(held="looked at")
    desk = serving.lease(annotator, study)
    assert progress().batch == BatchPlace(1, answered=1, left=3)  # what the person holds is still theirs
    factories.answer(factories.member(study, "annotator"), study)
    assert progress().batch == BatchPlace(1, answered=1, left=2)
    skipping.skip(desk.current, annotator, reason="cannot_judge")
    assert progress().batch == BatchPlace(1, answered=1, left=1)


def test_what_the_person_opted_out_of_and_other_languages_are_not_left(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    annotator.seats.update(excluded=["violence"])
    Pair.objects.filter(pk=pairs[4].pk).update(may_show=["violence"], lane=1)
    assert progress().batch.left == 3
    pairs[3].prompt.language = "zh-Hans"
    pairs[3].prompt.save()
    annotator.seats.update(languages=["zh"])
    assert progress().batch.left == 1


def test_the_pair_in_hand_says_which_batch_and_any_batch_can_be_asked_for(study, annotator, pairs, progress):
    for _ in pairs:
        factories.answer(annotator, study)
    later = factories.pair(study, batch=factories.batch(study, number=2))
    assert progress().batch == BatchPlace(1, answered=5, left=0)
    assert serving.lease(annotator, study).current.pair == later
    assert progress().batch == BatchPlace(2, answered=0, left=1)
    assert progress(batch=1).batch == BatchPlace(1, answered=5, left=0)
    assert progress(batch=7).batch is None


def test_a_batch_that_is_being_checked_has_nothing_left(study, annotator, pairs, progress):
    factories.answer(annotator, study)
    pairs[0].batch.state = "in_review"
    pairs[0].batch.save()
    assert progress().batch == BatchPlace(1, answered=1, left=0)


def test_the_api_gives_the_same_and_a_pair_names_its_batch(api, study, annotator, pairs):
    client = api(annotator)
    address = f"/api/v1/studies/{study.slug}/own-progress/"
    assert client.get(address).json() == {"today": {"answers": 0, "active_ms": 0}, "batch": None}
    desk = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()
    assert (desk["current"]["batch"], desk["next"]["batch"]) == (1, 1)
    assert client.get(address).json()["batch"] == {"number": 1, "answered": 0, "left": 5}
    assert client.get(address, {"batch": "0"}).status_code == 400


def test_the_list_of_studies_says_it_for_annotators_alone(study, annotator, pairs, browser_client):
    def page(person):
        return browser_client(person).get(reverse("home"), {"all": "1"}).content.decode()

    assert "Nothing answered today yet" in page(annotator)
    factories.answer(annotator, study)
    assert "Today: 1 pair, " in page(annotator)
    assert "Batch 1: 1 answered, up to 4 left for you" in page(annotator)
    assert "own-work" not in page(factories.member(study, "researcher"))


def test_the_workspace_begins_with_the_numbers_of_today(study, annotator, pairs, browser_client):
    factories.answer(annotator, study)
    page = browser_client(annotator).get(reverse("annotation:workspace", args=[study.slug])).content.decode()
    assert 'data-answered-today="1"' in page
    assert f'data-active-today-ms="{Annotation.objects.get().active_ms}"' in page
