"""Counts of a large study are stored, said to be so, and counted again. Those of other studies are always exact."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from figures import study_counts
from figures.models import StudyCounts
from figures.tasks import count_large_studies
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def large(study, monkeypatch):
    monkeypatch.setattr(study_counts, "LARGE", 1)
    factories.pairs(study, 2)
    return study


def age(study, minutes):
    StudyCounts.objects.filter(study=study).update(made_at=timezone.now() - timedelta(minutes=minutes))


def test_a_study_that_is_not_large_is_counted_each_time(study):
    factories.pairs(study, 2)
    assert study_counts.counts_of(study)[0].pairs == 2
    factories.pair(study)
    counts, counted_at = study_counts.counts_of(study)
    assert (counts.pairs, counted_at) == (3, None)
    assert not StudyCounts.objects.exists()


def test_a_large_study_shows_stored_counts_and_when_they_were_counted(large, browser_client, researcher):
    client, address = browser_client(researcher), reverse("figures:dashboard", args=[large.slug])
    assert "counted every few minutes" not in client.get(address).content.decode()
    factories.pair(large)
    shown = client.get(address)
    assert shown.context["progress"].pairs == 2
    assert "counted every few minutes" in shown.content.decode()


def test_the_task_counts_again_when_counts_are_some_minutes_old(large):
    study_counts.counts_of(large)
    factories.pair(large)
    assert count_large_studies() == 0
    age(large, 4)
    assert count_large_studies() == 1
    assert study_counts.counts_of(large)[0].pairs == 3


def test_without_a_worker_old_counts_are_not_shown(large):
    study_counts.counts_of(large)
    factories.pair(large)
    age(large, 16)
    counts, counted_at = study_counts.counts_of(large)
    assert (counts.pairs, counted_at) == (3, None)
