"""A release after each accepted lot: what it copies, what it waits for, and two sweeps at once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from qc.models import LotDecision
from releases import automatic, making, tasks
from releases.models import AutomaticReleases, Release
from tests.releases.releasing import accepted, answered, make

pytestmark = pytest.mark.django_db


def accept(study, pairs=1, in_s=0):
    """Accept a lot of new answers in some seconds, with the row of its decision."""
    lot = accepted(*answered(study, pairs=pairs))
    decided = {"decided_by": lot.created_by, "decided_at": timezone.now() + timedelta(seconds=in_s)}
    return LotDecision.objects.create(study=study, lot=lot, outcome="accepted", reason="As the plan says.", **decided)


def switched_on(study, researcher):
    """Return the first release, made by a person, of a study with automatic releases."""
    accept(study)
    first = make(study, by=researcher, terms="Cite us.", with_comments=True)
    automatic.switch(study, on=True, actor=researcher)
    return first


def test_an_accepted_lot_brings_a_release_with_the_choices_of_the_latest(study, researcher):
    first = switched_on(study, researcher)
    assert automatic.make_due() == 0  # the lot was accepted before
    accept(study)
    accept(study)
    tasks.look_after_releases()
    tasks.look_after_releases()
    second = Release.objects.get(number=2)
    assert (second.parent_id, second.family_id) == (first.pk, first.family_id)
    assert (second.terms, second.with_comments, second.asked_by) == ("Cite us.", True, researcher)
    assert (second.filter, second.formats, second.licence) == (first.filter, first.formats, first.licence)
    making.run(second.pk)
    second.refresh_from_db()
    assert (second.state, second.counts["answers"]) == ("done", 3)


def test_without_a_release_or_switched_off_nothing_is_made(study, researcher):
    automatic.switch(study, on=True, actor=researcher)
    accept(study)
    assert automatic.make_due() == 0
    make(study, by=researcher)
    assert automatic.make_due() == 0  # the lot is in that release
    automatic.switch(study, on=False, actor=researcher)
    accept(study)
    assert automatic.make_due() == 0
    automatic.switch(study, on=True, actor=researcher)
    assert automatic.make_due() == 0  # accepted while it was off
    accept(study)
    assert automatic.make_due() == 1


def test_while_a_release_is_made_the_next_sweep_tries_again(study, researcher):
    switched_on(study, researcher)
    accept(study)
    assert automatic.make_due() == 1
    accept(study, in_s=60)  # after the answers of the release were copied
    assert automatic.make_due() == 0
    making.run(Release.objects.get(number=2).pk)
    assert automatic.make_due() == 1
    assert Release.objects.count() == 3


def test_a_release_that_cannot_be_made_is_reported_once(study, researcher, browser_client):
    first = switched_on(study, researcher)
    accept(study)
    study.videos.update(licence="CC-BY-NC-4.0")  # narrower than the licence of the release
    assert automatic.make_due() == automatic.make_due() == 0
    assert Release.objects.count() == 1
    page = browser_client(researcher).get(reverse("releases:list", args=[study.slug])).content.decode()
    assert "The last accepted lot brought no release" in page
    study.videos.update(licence=first.licence)
    accept(study)
    assert automatic.make_due() == 1
    assert not automatic.of_study(study).is_refused


def test_the_page_and_the_api_switch_it(study, researcher, browser_client, api):
    make_first = switched_on(study, researcher)
    client = browser_client(researcher)
    address = reverse("releases:automatic", args=[study.slug])
    assert client.post(address, {"on": "0"}, follow=True).content.decode().count("They are off.") == 1
    client.post(address, {"on": "0"})
    path = reverse("api:automatic_releases", args=[study.slug])
    assert api(researcher).get(path).json()["on"] is False
    assert api(researcher).put(path, {"on": True}, format="json").json()["on"] is True
    assert api(researcher).put(path, {}, format="json").status_code == 400
    assert AutomaticReleases.objects.get(study=study).changed_by == researcher
    events = AuditEvent.objects.filter(action="releases.automatic").order_by("pk").values_list("after", flat=True)
    assert [event["on"] for event in events] == [True, False, True]
    assert make_first.number == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_order_one_release(study, researcher):
    switched_on(study, researcher)
    accept(study)
    barrier, made = threading.Barrier(2), []

    def sweep():
        barrier.wait()
        made.append(automatic.make_due())
        connection.close()

    both = [threading.Thread(target=sweep) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(made) == [0, 1]
    assert Release.objects.count() == 2
