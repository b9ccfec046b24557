"""The largest share of a study's answers that one person may give."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import serving, share_cap
from annotation.models import Assignment, Seat
from tests import factories

pytestmark = pytest.mark.django_db


def has_been_served(person, study, pairs):
    serving.lease(person, study)
    Seat.objects.filter(person=person).update(served=pairs)


@pytest.fixture
def capped(study):
    study.share_cap = 0.5
    study.save()
    return study


@pytest.fixture
def other(study):
    return factories.member(study, "annotator")


def test_who_has_given_their_share_waits_until_others_have_answered_more(capped, annotator, other):
    has_been_served(annotator, capped, 60)
    has_been_served(other, capped, 50)
    factories.pairs(capped, 3)
    refused = serving.lease(annotator, capped)
    assert (refused.current, refused.reason, refused.retry_after_s) == (None, "share", 60)
    assert serving.lease(other, capped).current
    Seat.objects.filter(person=other).update(served=70)
    assert serving.lease(annotator, capped).current


def test_the_first_pairs_of_a_person_are_always_allowed(capped, annotator):
    has_been_served(annotator, capped, share_cap.ALWAYS - share_cap.EVERY)
    factories.pair(capped)
    assert serving.lease(annotator, capped).current


def test_the_current_pair_can_be_finished(capped, annotator):
    has_been_served(annotator, capped, share_cap.ALWAYS - 1)
    factories.pairs(capped, 3)
    leased = serving.lease(annotator, capped)
    assert leased.current
    assert leased.next is None  # the pair that was given was the 50th, so no further one is given
    assert serving.lease(annotator, capped).current == leased.current


def test_the_count_is_read_only_at_every_tenth_pair(capped, annotator, other):
    has_been_served(other, capped, 1)
    has_been_served(annotator, capped, 61)
    factories.pairs(capped, 3)
    assert not counts_read(annotator, capped)
    Seat.objects.filter(person=annotator).update(served=70)
    assert counts_read(annotator, capped)


def counts_read(person, study):
    """Return the statements that add up the pairs given so far, in one request for pairs."""
    Assignment.objects.update(state="released", ended_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        serving.lease(person, study)
    return [query for query in queries if 'SUM("annotation_seat"' in str(query["sql"])]


def test_a_study_with_too_few_people_says_so(capped, annotator):
    assert "at least 2 annotators. It has 1." in share_cap.too_few_people(capped)
    factories.member(capped, "annotator")
    assert share_cap.too_few_people(capped) == ""


def test_a_study_without_the_setting_is_not_limited(study, annotator):
    has_been_served(annotator, study, 60)
    factories.pair(study)
    assert serving.lease(annotator, study).current


@pytest.mark.parametrize(("cap", "needed"), [(1, 1), (0.5, 2), (0.34, 3), (0.3, 4), (0.2, 5), (0.01, 100)])
def test_people_that_a_study_needs_at_least(study, cap, needed):
    study.share_cap = cap
    assert share_cap.people_needed(study) == needed
