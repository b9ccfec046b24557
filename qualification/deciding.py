"""People decide who is qualified without a test: waive it, take a qualification back, and allow one more attempt.

Each function locks the person's seat first, and writes the audit record. A reason is always given.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import serving
from annotation.models import Seat
from annotation.seats import locked_seat
from diptych.refusals import BadInput, Refused
from qualification import sets, standing
from qualification.models import ExtraAttempt, Qualification
from qualification.models.sets import Kind
from studies.models import Study

LONGEST_REASON = 500


def _checked(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput(_("Give a reason of at most %(most)s characters.") % {"most": LONGEST_REASON}, field="reason")
    return reason


def _in_force(study: Study, person: User) -> Qualification | None:
    return Qualification.objects.select_for_update().filter(study=study, person=person, ended_at=None).first()


@transaction.atomic
def waive(study: Study, person: User, reason: str, *, actor: User) -> Qualification:
    """Qualify a person without a test. Raise BadInput without a reason, and Refused if they are qualified.

    Nobody waives it for themselves.
    """
    reason = _checked(reason)
    if actor.pk == person.pk:
        raise Refused(_("Ask another researcher or admin: you cannot waive the test for yourself."), "oneself")
    locked_seat(person, study)
    if _in_force(study, person) is not None:
        raise Refused(_("This person is already qualified."), "qualified")
    given = Qualification.objects.create(
        study=study,
        person=person,
        how=Qualification.How.WAIVED,
        given_at=timezone.now(),
        given_by=actor,
        reason=reason,
    )
    after = {"how": given.how, "person": person.username, "reason": reason}
    audit.record("qualification.waived", given, actor=actor, study_slug=study.slug, after=after)
    return given


@transaction.atomic
def take_back(study: Study, person: User, reason: str, *, actor: User) -> Qualification:
    """End a person's qualification. They get no more pairs, and their open pairs go to others. Answers stay.

    Raise BadInput without a reason, and Refused if they are not qualified.
    """
    reason = _checked(reason)
    locked_seat(person, study)
    found = _in_force(study, person)
    if found is None:
        raise Refused(_("This person is not qualified now."), "not_qualified")
    found.ended_at, found.ended_by = timezone.now(), actor
    found.end, found.ended_because = Qualification.End.TAKEN_BACK, reason
    found.save(update_fields=["ended_at", "ended_by", "end", "ended_because"])
    if study.qualification_required:
        serving.release_all(person, study)
    after = {"person": person.username, "reason": reason}
    audit.record("qualification.taken_back", found, actor=actor, study_slug=study.slug, after=after)
    return found


@transaction.atomic
def allow_attempt(study: Study, person: User, reason: str, *, actor: User) -> ExtraAttempt:
    """Allow a person one more attempt at the test that is in force, at once.

    Raise BadInput without a reason, and Refused if they are qualified, have not tried, or may try now anyway.
    """
    reason = _checked(reason)
    seat = locked_seat(person, study)
    found = standing.standing_of(person, study, seat, timezone.now())
    if found.stage not in (standing.FAILED, standing.WAIT) or found.test is None:
        raise Refused(_("One more attempt helps only people who wait or have used all attempts."), "not_needed")
    last = found.attempts[-1]
    made = ExtraAttempt.objects.create(
        study=study, set=found.test, person=person, after=last, reason=reason, allowed_by=actor
    )
    after = {"person": person.username, "reason": reason, "version": found.test.number}
    audit.record("qualification.attempt_allowed", made, actor=actor, study_slug=study.slug, after=after)
    return made


def used_all_attempts(study: Study) -> list[User]:
    """Return the people who have used all attempts at the test in force and are not qualified, by name."""
    test = sets.in_force(study, Kind.TEST)
    if test is None or not study.qualification_required:
        return []
    tried = User.objects.filter(qualifying_attempts__set=test, memberships__study=study, memberships__role="annotator")
    people = {person.pk: person for person in tried.distinct().order_by("username")}
    seats = {seat.person_id: seat for seat in Seat.objects.filter(study=study, person__in=people)}
    facts, now = standing.Facts(study, {key: seats.get(key) for key in people}), timezone.now()
    return [person for key, person in people.items() if facts.standing(key, now).stage == standing.FAILED]


#: What people can decide, by name.
ACTS: dict[str, Callable[..., Any]] = {"waive": waive, "take_back": take_back, "allow_attempt": allow_attempt}
