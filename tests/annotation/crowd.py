"""Actions of people and of everything around them. A test runs them in any order, or several at once.

The argument of an action is a number that picks its object. Without an object the action does nothing. A refusal that
the product may give is returned as a result, not raised as an error.
"""

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from accounts.models import User
from annotation import corrections, harm_propagation, leases, offering, revisions, serving, skipping, submission
from annotation.answers import Answers
from annotation.exposure import lapse_ended_leases
from annotation.models import Assignment, Standing
from annotation.protocol import REOPENED, SKIP_REASONS
from catalog import batches
from catalog.models import Batch, Pair
from consent import agreements
from diptych.refusals import Refused
from studies.models import Study
from tests import factories

#: Refusals that are right if a person is late or does something twice.
REFUSALS = {
    *("already_answered", "skipped", "lease_lost", "cap", "paused", "study_closed"),
    *("not_answered", "too_late", "held", "consent", "excluded", "batch_closed", "corrected", "asked_again"),
}

BODY = factories.body()
PLAIN = Answers.from_body(BODY["helpfulness"], BODY["harmlessness"] | {"video_1": {"tags": []}})
TAGGED = Answers.from_body(BODY["helpfulness"], BODY["harmlessness"])
OTHERWISE = Answers.from_body(BODY["helpfulness"] | {"overall": "video_1"}, BODY["harmlessness"])
#: Categories that a person may agree to. Pairs with `sensitive` in their shape may show violence.
AGREED = (["violence", "hate"], ["hate"], ["hate", "violence"], [])


class Somebody:
    """One person in one study, with the submission ids that they sent.

    It has the tried ids of first answers, the acknowledged ones, and the ids of later revisions.
    """

    def __init__(self, study: Study, user: User) -> None:
        self.study, self.user = study, user
        self.tried: dict[str, tuple[int, Answers]] = {}
        self.acknowledged: dict[str, int] = {}
        self.revised: dict[str, int] = {}

    def act(self, action: str, pick: int) -> Any:
        """Do the action. Return its result, or the refusal as a string."""
        try:
            return getattr(self, action)(pick)
        except Refused as refused:
            assert refused.code in REFUSALS, refused.code  # noqa: PT017
            return refused.code

    def mine(self, pick: int, *states: str) -> Assignment | None:
        """Return one of the person's assignments in these states."""
        found = Assignment.objects.filter(study=self.study, person=self.user, state__in=states)
        keys = list(found.order_by("pk").values_list("pk", flat=True))
        # Like a request: what is read here may have changed before it is used.
        return Assignment.objects.select_related("study").get(pk=keys[pick % len(keys)]) if keys else None

    # Actions of people.

    def lease(self, pick: int = 0) -> serving.LeasedPairs:
        return serving.lease(self.user, Study.objects.get(pk=self.study.pk))

    def submit(self, pick: int) -> submission.Submitted | None:
        return self.send(self.mine(pick, "leased"), pick)

    def submit_late(self, pick: int) -> submission.Submitted | None:
        return self.send(self.mine(pick, "expired", "released"), pick)

    def send(self, assignment: Assignment | None, pick: int) -> submission.Submitted | None:
        if assignment is None:
            return None
        submission_id = str(uuid.uuid4())
        answers = TAGGED if pick % 3 == 0 else PLAIN
        self.tried[submission_id] = (assignment.pk, answers)
        return self.hand_in(submission_id, assignment, answers, lease_next=pick % 2 == 0)

    def hand_in(
        self, submission_id: str, assignment: Assignment, answers: Answers, **values: Any
    ) -> submission.Submitted:
        submitted = submission.submit(
            assignment,
            self.user,
            submission_id=uuid.UUID(submission_id),
            answers=answers,
            timings_ms={"total_active": 3_600_000},  # more than the clock allows
            viewing={},
            care={"revealed_s": {"video_0": 1.5, "video_1": 0.5}, "hidden": 1},
            **values,
        )
        self.acknowledged[submission_id] = assignment.pk
        return submitted

    def repeat(self, pick: int) -> submission.Submitted | None:
        """Send something again, and check that it is stored once and returned unchanged."""
        if not self.tried:
            return None
        submission_id = sorted(self.tried)[pick % len(self.tried)]
        assignment_id, answers = self.tried[submission_id]
        known = submission_id in self.acknowledged
        assignment = Assignment.objects.select_related("study").get(pk=assignment_id)
        submitted = self.hand_in(submission_id, assignment, answers)
        assert submitted.annotation.assignment_id == assignment_id
        assert not (known and submitted.created)
        return submitted

    def repeat_otherwise(self, pick: int) -> None:
        """Check that the same id with other answers is refused, whatever happened since."""
        if not self.acknowledged:
            return
        submission_id = sorted(self.acknowledged)[pick % len(self.acknowledged)]
        assignment = Assignment.objects.select_related("study").get(pk=self.acknowledged[submission_id])
        try:
            submission.submit(
                assignment,
                self.user,
                submission_id=uuid.UUID(submission_id),
                answers=OTHERWISE,
                timings_ms={},
                viewing={},
            )
        except Refused as conflict:
            assert conflict.code == "submission_id_used"  # noqa: PT017
            return
        raise AssertionError("A submission id was taken twice.")

    def skip(self, pick: int) -> serving.LeasedPairs | None:
        return self.skip_one(self.mine(pick, "leased"), pick)

    def skip_late(self, pick: int) -> serving.LeasedPairs | None:
        return self.skip_one(self.mine(pick, "expired", "released"), pick)

    def skip_one(self, assignment: Assignment | None, pick: int) -> serving.LeasedPairs | None:
        reason = list(SKIP_REASONS)[pick % len(SKIP_REASONS)]
        care = {"revealed_s": {"video_0": 0.5, "video_1": 0.0}, "hidden": 1}
        return assignment and skipping.skip(assignment, self.user, reason=reason, care=care)

    def release(self, pick: int) -> None:
        if assignment := self.mine(pick, "leased"):
            serving.release(assignment, self.user)

    def renew(self, pick: int) -> None:
        if assignment := self.mine(pick, "leased"):
            serving.renew(assignment, self.user)

    def renew_late(self, pick: int) -> None:
        if assignment := self.mine(pick, "expired", "released"):
            serving.renew(assignment, self.user)

    def reopen(self, pick: int) -> revisions.Revised | None:
        """Change a submitted answer."""
        assignment = self.mine(pick, "submitted")
        if assignment is None:
            return None
        submission_id = str(uuid.uuid4())
        revised = revisions.revise(
            assignment,
            self.user,
            submission_id=uuid.UUID(submission_id),
            answers=OTHERWISE if pick % 2 else PLAIN,
            timings_ms={"total_active": 3_600_000},
            viewing={},
            reason=REOPENED,
        )
        if revised.created:
            self.revised[submission_id] = assignment.pk
        return revised

    def agree(self, pick: int) -> None:
        agreements.agree(
            self.user, self.study, categories=AGREED[pick % len(AGREED)], text=f"I agree to see {pick % len(AGREED)}."
        )

    def withdraw(self, pick: int) -> None:
        agreements.withdraw(self.user, self.study)


class Surroundings:
    """Everything else that happens to a study: time passes, sweeps run, researchers and reviewers change things."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def act(self, action: str, pick: int) -> Any:
        return getattr(self, action)(pick)

    def one(self, rows: Any, pick: int) -> Any:
        """Return the key of one of the rows, without a lock, or None if there is no row."""
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        return keys[pick % len(keys)] if keys else None

    def pair(self, pick: int) -> Any:
        return Pair.objects.filter(pk=self.one(Pair.objects.filter(study=self.study), pick))

    def expire(self, pick: int) -> None:
        """Let a lease expire."""
        leased = Assignment.objects.filter(study=self.study, state="leased")
        now = timezone.now()
        leased.filter(pk=self.one(leased, pick)).update(
            leased_at=Least(F("leased_at"), now - timedelta(milliseconds=2)),
            expires_at=now - timedelta(milliseconds=1),
        )

    def sweep(self, pick: int) -> None:
        leases.return_expired()
        lapse_ended_leases()

    def note_tags(self, pick: int) -> None:
        harm_propagation.note_tags()

    def hold(self, pick: int) -> None:
        self.pair(pick).filter(held="").update(held="a researcher looks at it")

    def unhold(self, pick: int) -> None:
        pair = self.pair(pick)
        with transaction.atomic():
            if pair.exclude(held="").update(held=""):
                batches.ask_for_more(pair)

    def hurry(self, pick: int) -> None:
        self.pair(pick).update(priority=F("priority") + 3)

    def defer(self, pick: int) -> None:
        self.pair(pick).update(priority=Greatest(F("priority") - 2, -10))

    def prepare(self, pick: int) -> None:
        self.pair(pick).update(ready=True)

    def add(self, pick: int) -> None:
        """Import another pair."""
        with transaction.atomic():
            pair = factories.pair(self.study, wanted=1 + pick % 3, priority=pick % 4 - 1)
            batches.ask_for_more(Pair.objects.filter(pk=pair.pk))

    def want_more(self, pick: int) -> None:
        pair = self.pair(pick)
        with transaction.atomic():
            pair.update(wanted=F("wanted") + 1, open_slots=F("open_slots") + 1)
            batches.ask_for_more(pair)

    def want_more_opinions(self, pick: int) -> None:
        pair = self.pair(pick)
        more = {name: F(name) + 1 for name in ("wanted", "open_slots", "more_open", "more_asked")}
        with transaction.atomic():
            pair.filter(more_asked__lt=10).update(**more)
            batches.ask_for_more(pair)

    def pause(self, pick: int) -> None:
        Study.objects.filter(pk=self.study.pk).update(state="paused")

    def resume(self, pick: int) -> None:
        Study.objects.filter(pk=self.study.pk).update(state="running")

    def close(self, pick: int) -> None:
        Study.objects.filter(pk=self.study.pk).update(state="closed")

    def review(self, pick: int) -> None:
        """Move a batch to review, accept it, or return it."""
        Batch.objects.filter(study=self.study).update(state=("in_review", "accepted", "returned", "open")[pick % 4])

    def uncount(self, pick: int) -> None:
        """Reject an answer, which opens its slot, or restore it, which takes a free slot."""
        standing = Standing.objects.filter(pk=self.one(Standing.objects.filter(study=self.study), pick)).first()
        if standing is None:
            return
        if standing.counted:
            offering.reject(standing, reason="defect", actor=None)
        else:
            offering.restore(standing, actor=None)

    def offer(self, pick: int) -> None:
        """Return an answer to its person: it no longer counts, and the pair is offered again."""
        answered = Assignment.objects.filter(study=self.study, state="submitted")
        assignment = Assignment.objects.filter(pk=self.one(answered, pick)).first()
        if assignment is not None:
            with suppress(Refused):
                offering.offer_again(assignment, reason="returned", actor=None)

    def correct(self, pick: int) -> None:
        """Correct the tags of an answer as a reviewer."""
        answered = Assignment.objects.filter(study=self.study, state="submitted")
        assignment = answered.filter(pk=self.one(answered, pick)).first()
        if assignment is None:
            return
        reviewer, _ = User.objects.get_or_create(username=f"reviewer-of-{self.study.pk}")
        stands = Answers.from_annotation(Standing.objects.select_related("current").get(pk=assignment.pk).current)
        answers = replace(stands, tags_video_0=("crime",) if pick % 2 else (), tags_video_1=("hate",))
        try:
            corrections.correct(assignment, reviewer, submission_id=uuid.uuid4(), answers=answers)
        except Refused as refused:  # changed at the same moment, or the batch is accepted
            assert refused.code in ("preference", "batch_closed"), refused.code  # noqa: PT017

    def complete(self, pick: int) -> None:
        leases.complete_batches()


#: Frequent actions are listed more than once.
BY_PEOPLE = (
    *("lease", "lease", "lease", "lease", "submit", "submit", "submit", "submit_late", "release"),
    *("submit_late", "repeat", "repeat_otherwise", "skip", "skip_late", "release", "renew", "renew_late", "reopen"),
    *("agree", "agree", "withdraw"),
)
BY_SURROUNDINGS = (
    *(
        "expire",
        "expire",
        "expire",
        "sweep",
        "note_tags",
        "hold",
        "unhold",
        "hurry",
        "defer",
        "prepare",
        "add",
        "want_more",
        "want_more_opinions",
    ),
    *("uncount", "offer", "correct", "complete", "pause", "resume", "resume", "close", "review", "review"),
)
