"""Many people do everything at the same time for a while. Then every count must equal a recount."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from annotation import leases, serving, skipping, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment
from catalog.models import Pair
from diptych.refusals import Refused
from tests import factories
from tests.annotation.test_concurrency import wrongly_counted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

SECONDS = 60
PEOPLE = 12


class Person:
    """A person who answers, skips, releases, lets leases expire and answers late, by chance."""

    def __init__(self, study, user, seed):
        self.study, self.user, self.dice = study, user, Random(seed)
        self.lapsed = []
        self.sent = 0

    def work(self, until):
        try:
            while time.monotonic() < until:
                self.step(serving.lease(self.user, self.study).current)
            return self.sent
        finally:
            connection.close()

    def step(self, assignment):
        if self.lapsed and self.dice.random() < 0.3:
            return self.send(self.lapsed.pop())
        if assignment is None:
            return None
        draw = self.dice.random()
        if draw < 0.6:
            return self.send(assignment)
        if draw < 0.7:
            return skipping.skip(assignment, self.user, reason="cannot_judge")
        if draw < 0.8:
            return serving.release(assignment, self.user)
        if draw < 0.9:
            return serving.renew(assignment, self.user)
        return self.lapse(assignment)

    def lapse(self, assignment):
        """Let the lease expire while the person is away."""
        past = timezone.now() - timedelta(hours=1)
        Assignment.objects.filter(pk=assignment.pk, state="leased").update(
            leased_at=past - timedelta(hours=1), expires_at=past
        )
        leases.return_expired()
        self.lapsed.append(assignment)

    def send(self, assignment):
        body = factories.body()
        for _ in range(self.dice.choice([1, 1, 2])):  # now and then the answer is sent twice
            try:
                submitted = submission.submit(
                    assignment,
                    self.user,
                    submission_id=uuid.UUID(body["submission_id"]),
                    answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
                    timings_ms={},
                    viewing={},
                    lease_next=self.dice.random() < 0.5,
                )
            except Refused as conflict:
                assert conflict.code in {"already_answered", "skipped"}  # noqa: PT017
                return
            self.sent += submitted.created


def test_a_minute_of_twelve_people_doing_everything_at_once_keeps_every_count():
    study = factories.study()
    factories.pairs(study, 1500, wanted=3)
    people = [Person(study, factories.member(study, "annotator"), seed) for seed in range(PEOPLE)]
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(PEOPLE) as pool:
        sent = sum(pool.map(lambda person: person.work(until), people))
    assert sent == Annotation.objects.count() > 200
    assert not wrongly_counted(study).exists()
    answered_twice = Annotation.objects.values("assignment").distinct().count()
    assert answered_twice == sent
    assert Pair.objects.filter(open_slots__lt=0).count() == 0
