"""Results of people and of expected answers, for those who run the study."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from annotation.models import Seat
from diptych.database.natural import natural_key
from qualification import judging, sets, standing
from qualification.models import Attempt, ExpectedAnswer, ExtraAttempt, PairSet, Qualification, SetItem
from qualification.models.sets import Kind
from qualification.standing import Standing
from studies.models import Membership, Study
from studies.models.memberships import Role

#: Where a person stands, for those who run the study.
STATES = {
    standing.NOT_ASKED: _("not asked"),
    standing.QUALIFIED: _("qualified"),
    standing.TRAIN: _("in training"),
    standing.TEST: _("may take the test"),
    standing.WAIT: _("waits for the next attempt"),
    standing.FAILED: _("used all attempts"),
    standing.TOO_FEW: _("agreed to see too few pairs of the test"),
    standing.SEES_ANSWERS: _("sees the expected answers"),
}
#: An expected answer that at least this share of people miss, and that many people answered, may be wrong itself.
OFTEN_MISSED, ENOUGH_ANSWERS = 0.5, 5


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Where one annotator stands, and their seat."""

    person: User
    standing: Standing

    @property
    def state(self) -> Any:
        return STATES[self.standing.stage]

    @property
    def share(self) -> float | None:
        return self.standing.last.share if self.standing.last else None


def people(study: Study, stage: str = "") -> list[PersonRow]:
    """Return everybody who annotates in the study, by name, with where they stand.

    Args:
        stage: only people who stand there.
    """
    annotators = Membership.objects.filter(study=study, role=Role.ANNOTATOR).values("person")
    found = list(User.objects.filter(pk__in=annotators))
    seats = {seat.person_id: seat for seat in Seat.objects.filter(study=study)}
    facts, now = standing.Facts(study, {person.pk: seats.get(person.pk) for person in found}), timezone.now()
    rows = [PersonRow(person, facts.standing(person.pk, now)) for person in found]
    chosen = [row for row in rows if not stage or row.standing.stage == stage]
    return sorted(chosen, key=lambda row: natural_key(row.person.username))


def person_row(study: Study, person: User) -> PersonRow:
    """Return where one person stands."""
    seat = Seat.objects.filter(study=study, person=person).first()
    return PersonRow(person, standing.standing_of(person, study, seat, timezone.now()))


PEOPLE_COLUMNS = (
    *("username", "state", "attempts", "attempts_allowed", "last_share", "pass_mark", "qualified_at", "how"),
    *("waived_by", "reason"),
)


def people_lines(rows: Iterable[PersonRow]) -> Iterator[list[Any]]:
    """Yield a line of the CSV file for each person."""
    for row in rows:
        found, given = row.standing, row.standing.qualification
        yield [
            row.person.username,
            found.stage,
            len(found.attempts),
            found.allowed,
            "" if row.share is None else round(row.share, 4),
            found.last.pass_share if found.last else "",
            given.given_at.isoformat(timespec="seconds") if given else "",
            given.how if given else "",
            given.given_by.username if given and given.given_by else "",
            given.reason if given else "",
        ]


@dataclass(slots=True)
class Missed:
    """How often one expected answer was met."""

    set: PairSet
    item: SetItem
    expected: ExpectedAnswer
    answers: int = 0
    right: int = 0
    given: list[Any] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        return self.right / self.answers if self.answers else None

    @property
    def is_suspicious(self) -> bool:
        """Return whether the expected answer itself, or the guideline, may be wrong."""
        return self.answers >= ENOUGH_ANSWERS and 1 - self.right / self.answers >= OFTEN_MISSED


def questions(study: Study, kind: str = "") -> list[Missed]:
    """Return the expected answers of the versions in force that somebody was judged by, most missed first."""
    chosen = [sets.in_force(study, one) for one in (Kind.TRAINING, Kind.TEST) if kind in ("", one)]
    found: dict[int, Missed] = {}
    for one in filter(None, chosen):
        attempts = list(Attempt.objects.filter(set=one))
        for answer, rows in judging.judged_of(attempts):
            for row in rows:
                line = found.setdefault(row.expected.pk, Missed(one, answer.turn.item, row.expected))
                line.answers += 1
                line.right += row.is_right
    return sorted(found.values(), key=lambda line: (line.share or 0, -line.answers, line.expected.pk))


QUESTION_COLUMNS = ("set", "version", "place", "pair_id", "row", "expected", "optional", "answers", "right", "share")


def question_lines(rows: Iterable[Missed]) -> Iterator[list[Any]]:
    """Yield a line of the CSV file for each expected answer."""
    for line in rows:
        expected = line.expected
        yield [
            *(line.set.kind, line.set.number, line.item.place, line.item.pair.public_id, expected.row),
            *(" ".join(expected.accepted), " ".join(expected.optional), line.answers, line.right),
            "" if line.share is None else round(line.share, 4),
        ]


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One answer of one person, beside what was expected."""

    person: User
    attempt: Attempt
    item: SetItem
    judged: judging.Judged
    left: str
    at: Any


def answers(study: Study, *, expected: int | None = None, attempt: int | None = None) -> list[GivenAnswer]:
    """Return the judged answers to one expected answer, or of one attempt, in the order in which they were given."""
    attempts = Attempt.objects.filter(study=study)
    if attempt is not None:
        attempts = attempts.filter(pk=attempt)
    if expected is not None:
        attempts = attempts.filter(set__items__expected=expected)
    return [
        GivenAnswer(
            answer.turn.attempt.person,
            answer.turn.attempt,
            answer.turn.item,
            row,
            answer.turn.left,
            answer.submitted_at,
        )
        for answer, rows in judging.judged_of(list(attempts))
        for row in rows
        if expected is None or row.expected.pk == expected
    ]


ANSWER_COLUMNS = (
    *("username", "set", "version", "attempt", "place", "pair_id", "row", "answer", "expected", "optional", "right"),
    "answered_at",
)


def answer_lines(rows: Iterable[GivenAnswer]) -> Iterator[list[Any]]:
    """Yield a line of the CSV file for each judged answer."""
    for one in rows:
        value, expected = one.judged.value, one.judged.expected
        yield [
            *(one.person.username, one.attempt.kind, one.attempt.set.number, one.attempt.number, one.item.place),
            *(one.item.pair.public_id, one.judged.row, " ".join(value) if isinstance(value, list) else value),
            *(" ".join(expected.accepted), " ".join(expected.optional), int(one.judged.is_right)),
            one.at.isoformat(timespec="seconds"),
        ]


@dataclass(frozen=True, slots=True)
class ByQuestion:
    """How many answers of one attempt to one question were as expected. It names no pair."""

    row: str
    judged: int
    right: int


def by_question(attempt: Attempt) -> list[ByQuestion]:
    """Return the result of an attempt by question, for its person. Tags of both videos count together."""
    counts: dict[str, list[int]] = {}
    for _answer, rows in judging.judged_of([attempt]):
        for one in rows:
            numbers = counts.setdefault("tags" if one.row.startswith("tags_") else one.row, [0, 0])
            numbers[0] += 1
            numbers[1] += one.is_right
    return [ByQuestion(row, *numbers) for row, numbers in counts.items()]


def history(study: Study, person: User) -> dict[str, Any]:
    """Return all attempts of a person in the study, what somebody allowed or waived, and how qualifications ended."""
    attempts = Attempt.objects.filter(study=study, person=person).select_related("set").order_by("pk")
    counted = attempts.annotate(
        answered=Count("turns", filter=Q(turns__answer__isnull=False)),
        skipped=Count("turns", filter=~Q(turns__skip_reason="")),
        last_at=Max("turns__ended_at"),
    )
    return {
        "attempts": counted,
        "extra": ExtraAttempt.objects.filter(study=study, person=person).select_related("allowed_by").order_by("pk"),
        "qualifications": Qualification.objects.filter(study=study, person=person)
        .select_related("given_by", "ended_by", "attempt")
        .order_by("pk"),
    }


def lost(of: PairSet) -> list[SetItem]:
    """Return the pairs of a version that cannot be shown any more, so that nobody is asked them."""
    items = list(SetItem.objects.filter(set=of).select_related("pair").order_by("place"))
    shown = {item.pk for item in standing.items_for(of, None)}
    return [item for item in items if item.pk not in shown]
