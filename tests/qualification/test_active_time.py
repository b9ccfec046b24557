"""One active time: the workspace, the list of studies, *My work* and the progress of people show the same minutes."""

import re
import uuid
from datetime import UTC, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.days import day_began
from annotation.models import Annotation, Seat
from annotation.own_progress import own_progress
from answers import my_work, people_progress
from qualification import attempts
from qualification.models import Turn
from tests import factories
from tests.figures.figuring import given
from tests.qualification import world

pytestmark = pytest.mark.django_db

S = 1000


def revise(answered, active_ms):
    """Write a second revision of an answer, submitted now."""
    first = answered.annotations.get()
    again = {"revision": 2, "submission_id": uuid.uuid4(), "submitted_at": timezone.now(), "active_ms": active_ms}
    Annotation.objects.create(**{name: getattr(first, name) for name in COPIED} | {"reason": "reopened"} | again)


COPIED = [
    field.attname for field in Annotation._meta.concrete_fields if field.attname not in {"id", "reason", "revision"}
]


@pytest.fixture
def worked(study, annotator):
    """Let a person work 200 s today, 90 s yesterday, and 330 s long ago. Return when these began."""
    today = day_began(annotator, timezone.now())
    asks = world.asks_for_qualification(study, factories.member(study, "admin"))
    Seat.objects.get_or_create(study=study, person=annotator)
    pairs = factories.pairs(study, 2)
    given(pairs[0], annotator, active_ms=330 * S, assignment={"ended_at": today - timedelta(days=40)})
    yesterday = given(pairs[1], annotator, active_ms=90 * S, assignment={"ended_at": today - timedelta(hours=1)})
    revise(yesterday, 80 * S)  # today's work on yesterday's answer
    attempt = attempts.begin(annotator, study, "training")
    turn = attempts.next_step(attempt, annotator).turn
    Turn.objects.filter(pk=turn.pk).update(begun_at=timezone.now() - timedelta(minutes=5))
    Seat.objects.filter(person=annotator).update(worked_until=None, active_ms=(330 + 90 + 80) * S)
    world.answer(turn, annotator, timings_ms={"total_active": 120 * S})
    assert asks
    return today


@pytest.mark.long
def test_all_pages_show_the_same_time(study, annotator, worked, browser_client, api):
    [day, before] = my_work.summary(study, annotator).days
    assert (day.active_ms, before.active_ms) == (200 * S, 90 * S)
    assert own_progress(annotator, [study.pk], worked)[study.pk].active_ms == 200 * S
    client = browser_client(annotator)
    assert "Today: 0 pairs, 3 minutes" in client.get(reverse("home"), {"all": "1"}).content.decode()
    own = api(annotator).get(f"/api/v1/studies/{study.slug}/own-progress/").json()["today"]
    assert own == {"answers": 0, "active_ms": 200 * S}
    study.qualification_required = False
    study.save()
    workspace = client.get(reverse("annotation:workspace", args=[study.slug])).content.decode()
    assert f'data-active-today-ms="{200 * S}"' in workspace
    people = people_progress.people(study, people_progress.Days(UTC))
    assert [row.figures.paid_ms for row in people if row.person_id == annotator.pk] == [620 * S]


@pytest.mark.long
def test_the_total_is_the_sum_of_the_days_as_they_are_shown(study, annotator, worked, browser_client):
    summary = my_work.summary(study, annotator)
    assert summary.active_ms == 620 * S
    assert (summary.earlier.answers, summary.earlier.active_ms) == (1, 330 * S)
    page = browser_client(annotator).get(reverse("answers:my_work", args=[study.slug])).content.decode()
    table = page.split('<table class="days">')[1].split("</table>")[0]
    rows = [int(minutes) for minutes in re.findall(r"<td>(\d+) minutes?</td>", table)]
    assert rows == [3, 2, 6]  # 200 s, 90 s and 330 s
    assert f"<dd>{sum(rows)} minutes</dd>" in page
