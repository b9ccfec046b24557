"""Suspend a person from annotating in a study, and lift the suspension. `suspension_work.py` does the long part.

A suspension takes effect in the transaction that orders it: the person's leases end, and their seat says that they are
suspended. A job then stops counting the chosen answers, so that their pairs are asked again. Answers that an accepted
lot has released stay: reopen the decision about that lot first.

Lock the seat first, then the row of the suspension.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from annotation import serving
from annotation.models import Assignment, Seat
from annotation.seats import locked_seat, look_back_soon
from diptych.database.fixed import fetch_all
from diptych.refusals import BadInput, Refused
from jobs import engine, ordered
from qc.models import FrameItem, Lot
from studies.models import Membership, Study
from studies.models.memberships import Role
from suspensions import suspension_work
from suspensions.models import SuspendedAnswer, Suspension
from suspensions.suspension_work import POLICY, RETURNABLE, parameters

What, State = Suspension.What, Suspension.State
MOST_CHARACTERS = 2000
#: A suspension with at most this many answers is carried out while the person waits.
RIGHT_AWAY = 500
BUSY = gettext_noop("Another suspension of this study is still being carried out. Wait until it ends, or cancel it.")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a person's answers are returned."""

    what: str = What.NONE
    since: datetime | None = None
    lot: Lot | None = None

    def __post_init__(self) -> None:
        """Raise BadInput if the parts do not fit together."""
        if self.what not in What.values:
            raise BadInput(_("Choose which answers no longer count."), field="what")
        if (self.what == What.SINCE) != (self.since is not None):
            raise BadInput(
                _("Give the day from which answers no longer count, or choose another option."), field="since"
            )
        if (self.what == What.LOT) != (self.lot is not None):
            raise BadInput(_("Choose the lot whose answers no longer count, or choose another option."), field="lot")


def annotators(study: Study) -> QuerySet[User]:
    """Return the people who annotate in the study, or did."""
    now = Q(pk__in=Membership.objects.filter(study=study, role=Role.ANNOTATOR).values("person"))
    return User.objects.filter(now | Q(pk__in=Seat.objects.filter(study=study).values("person")))


def lots_with_answers(study: Study, person: User) -> list[Lot]:
    """Return the lots whose frames have answers of the person that can still be returned, the latest first."""
    items = FrameItem.objects.filter(study=study, assignment__person=person, assignment__standing__counted=True)
    lots = Lot.objects.filter(study=study, pk__in=items.values("lot")).exclude(state=Lot.State.ACCEPTED)
    return list(lots.order_by("-number"))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a suspension would do now.

    leases: open pairs that are released. asked_again: answers whose pairs are served again at once. in_review: answers
    in a lot in review, which are lost to its sample; `lots` has their number by lot. released: chosen answers that
    stay, because an accepted lot has released them.
    """

    leases: int
    asked_again: int
    in_review: int
    released: int
    lots: Mapping[int, int] = field(default_factory=dict)

    @property
    def returned(self) -> int:
        """Return how many answers stop counting."""
        return self.asked_again + self.in_review


COUNTED = f"""
SELECT is_released, batch_state = 'in_review' AS in_review, lot_number, count(*)
  FROM ({RETURNABLE}) chosen GROUP BY 1, 2, 3
"""  # noqa: S608 - of constants


def preview(person: User, study: Study, choice: Choice) -> Preview:
    """Return what a suspension of the person with this choice would do now."""
    leases = Assignment.objects.filter(study=study, person=person, state=Assignment.State.LEASED).count()
    values = parameters(study.pk, person.pk, choice.what, choice.since, choice.lot.pk if choice.lot else None)
    rows = fetch_all(COUNTED, values)
    released = sum(row[3] for row in rows if row[0])
    lots: dict[int, int] = {}
    for is_released, in_review, lot, number in rows:
        if in_review and not is_released:
            lots[lot] = lots.get(lot, 0) + number
    asked_again = sum(row[3] for row in rows if not row[0] and not row[1])
    return Preview(leases, asked_again, sum(lots.values()), released, lots)


def suspend(person: User, study: Study, choice: Choice, *, why: str, actor: User) -> Suspension:
    """Suspend the person from annotating in the study, and return the chosen answers. Return the job.

    1. Lock the seat. A person who is suspended in the same way already stays so: the suspension is returned.
    2. End their leases, and mark the seat. From here on they get no pair, and what they still send does not count.
    3. Create the job. A small one is done when this returns.

    Raise BadInput without a reason, and Refused if the person is suspended otherwise, or while another suspension of
    the study is carried out.
    """
    because = _reason(why)
    with transaction.atomic():
        seat = locked_seat(person, study)
        if seat.suspended_at is not None:
            return _same(person, study, choice)
        expected = preview(person, study, choice)
        ended = serving.release_all(person, study)
        Seat.objects.filter(pk=seat.pk).update(suspended_at=Now())
        last = Assignment.objects.filter(study=study, person=person).aggregate(pk=Max("pk", default=0))["pk"]
        with ordered.one_at_a_time(POLICY, _(BUSY), "busy"):
            job = Suspension.objects.create(
                study=study,
                person=person,
                why=because,
                what=choice.what,
                since=choice.since,
                lot=choice.lot,
                until=last,
                leases_ended=ended,
                steps_total=expected.returned,
                asked_by=actor,
            )
        after = {"person": person.pk, "reason": because, "what": choice.what, "leases_ended": ended}
        after |= {"since": choice.since} if choice.since else {}
        after |= {"lot": choice.lot.number} if choice.lot else {}
        audit.record("person.suspended", job, actor=actor, study_slug=study.slug, after=after)
    return ordered.begin(POLICY, job, suspension_work.run, right_away=RIGHT_AWAY)


def _same(person: User, study: Study, choice: Choice) -> Suspension:
    """Return the suspension in force if it was ordered with the same choice. Raise Refused if not."""
    there = Suspension.objects.get(study=study, person=person, lifted_at=None)
    if (there.what, there.since, there.lot_id) != (choice.what, choice.since, choice.lot and choice.lot.pk):
        raise Refused(
            _("%(name)s is already suspended. Lift that suspension first.") % {"name": person.username}, "suspended"
        )
    return there


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason or len(reason) > MOST_CHARACTERS:
        raise BadInput(_("Give a reason of at most %(most)s characters.") % {"most": MOST_CHARACTERS}, field="reason")
    return reason


def lift(suspension: Suspension, *, why: str, restore: bool, actor: User) -> Suspension:
    """Lift a suspension: the person gets pairs again. Return the job. Lifting it twice changes nothing.

    1. Lock the seat and the suspension. Refuse while its answers are still being returned.
    2. Mark the seat, so that the person is served again at once.
    3. With `restore`, the job counts the returned answers again, where their slots are still free.

    Raise BadInput without a reason, and Refused.
    """
    because = _reason(why)
    with transaction.atomic():
        seat = locked_seat(suspension.person, suspension.study)
        there = Suspension.objects.select_for_update(of=("self",), no_key=True).get(pk=suspension.pk)
        if there.lifted_at is not None:
            return there
        if there.is_open:
            raise Refused(
                _("The answers of this suspension are still being taken out. Wait until that ends, or cancel it."),
                "busy",
            )
        seat.suspended_at = None
        seat.save(update_fields=["suspended_at"])
        look_back_soon(seat)
        mine = Suspension.objects.filter(pk=there.pk)
        left = SuspendedAnswer.objects.filter(suspension=there, outcome=SuspendedAnswer.Outcome.RETURNED).count()
        lifted: dict[str, Any] = {"lifted_at": Now(), "lifted_by": actor, "lifted_because": because}
        if restore and left:
            with ordered.one_at_a_time(POLICY, _(BUSY), "busy"):
                engine.resume(mine, **lifted, lifting=True, reached=0, steps=0, steps_total=left)
        else:
            mine.update(**lifted)
        after = {"person": there.person_id, "reason": because, "restore": restore}
        audit.record("person.suspension_lifted", there, actor=actor, study_slug=suspension.study.slug, after=after)
        there.refresh_from_db()
    return ordered.begin(POLICY, there, suspension_work.run, right_away=RIGHT_AWAY) if there.is_open else there


def cancel(suspension: Suspension, *, actor: User) -> None:
    """Stop the job after its present step. What it has done stays, and the person stays as they are."""
    with transaction.atomic():
        if engine.cancel(POLICY, suspension.pk):
            audit.record("person.suspension_stopped", suspension, actor=actor, study_slug=suspension.study.slug)


def resume(suspension: Suspension, *, actor: User) -> Suspension:
    """Continue a job that failed or was cancelled, where it stopped. Return it. Raise Refused."""
    with transaction.atomic():
        there = Suspension.objects.select_for_update(of=("self",), no_key=True).get(pk=suspension.pk)
        if there.state not in (State.FAILED, State.CANCELLED) or (there.lifted_at and not there.lifting):
            raise Refused(_("There is nothing to continue."), "nothing_to_continue")
        with ordered.one_at_a_time(POLICY, _(BUSY), "busy"):
            engine.resume(Suspension.objects.filter(pk=there.pk))
        audit.record("person.suspension_continued", there, actor=actor, study_slug=suspension.study.slug)
    there.refresh_from_db()
    return ordered.begin(POLICY, there, suspension_work.run, right_away=RIGHT_AWAY)


def lines(person: User, studies: Collection[Study]) -> Mapping[int, str]:
    """Return a line for each study in which the person is suspended, for their list of studies."""
    suspended = Seat.objects.filter(person=person, study__in=studies, suspended_at__isnull=False)
    return dict.fromkeys(suspended.values_list("study", flat=True), _("Your work in this study is suspended"))
