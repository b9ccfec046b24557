"""The rows of answers, as the way through serving would have left them: assignments, answers, standings and seats."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
from django.utils import timezone

from annotation import draws
from annotation.models import Annotation, Assignment, Seat, Standing
from annotation.protocol import DIMENSION_BLOCK, VIDEOS
from findings.contradictions import REASON
from simulation.draws import any_of_last
from simulation.driver import harms_of, viewing_of
from simulation.material import Simulated, copy_rows, new_keys
from simulation.truth import QUESTIONS
from simulation.work import Table

#: Over how long the answers are spread, and the time that each has at least.
SPREAD, LEAST_S = timedelta(weeks=4), 100.0

ASSIGNMENT = (
    *("id", "study_id", "pair_id", "person_id", "round_reason", "left", "dimension_first", "state", "leased_at"),
    *("shown_at", "expires_at", "ended_at", "protocol_version", "guideline_version"),
)
ANNOTATION = (
    *("id", "study_id", "assignment_id", "author_id", "submission_id", "submitted_at", *QUESTIONS),
    *("tags_video_0", "tags_video_1", "unsure", "active_ms", "timings_ms", "viewing", "presentation"),
    *("protocol_version", "guideline_version"),
)
STANDING = ("assignment_id", "study_id", "current_id", "validity", "reason")


class _Place(NamedTuple):
    """What one answer is of: its row in the table, its keys, its person, and its times."""

    row: int
    assignment: int
    annotation: int
    person: int
    left: int
    served: int
    seconds: float
    ended_at: datetime


class FilledRows:
    """Writes the answers of a study part by part, and keeps the seats up to date."""

    def __init__(self, simulated: Simulated, answers: int) -> None:
        self.study, self.people = simulated.study, simulated.annotators
        #: For each person the number of pairs given, how often video 0 was on the left less video 1, and active time.
        self.served, self.balance, self.active_ms = ([0] * len(self.people) for _ in range(3))
        each = 1.1 * answers / len(self.people) + 10
        self.gap_s = max(SPREAD.total_seconds() / each, LEAST_S)
        self.start = timezone.now() - timedelta(seconds=self.gap_s * each)
        self.seats = [Seat.objects.get(study=self.study, person=person) for person in self.people]
        #: By person, side and the parity of the block: the dimension that comes first, and the recorded presentation.
        self.shown = {
            (number, left, block): self._presentation(number, left, block)
            for number in range(len(self.people))
            for left in (0, 1)
            for block in (0, 1)
        }

    def _presentation(self, number: int, left: int, block: int) -> tuple[str, str]:
        first = draws.dimension_first(self.study, self.people[number].pk, block * DIMENSION_BLOCK)
        assignment = Assignment(left=VIDEOS[left], dimension_first=first)
        return first, orjson.dumps(draws.presentation(self.study, self.seats[number], assignment)).decode()

    def write(self, table: Table, pairs: list[int]) -> None:
        """Write the answers to pairs with these keys."""
        places = list(self._places(table))
        copy_rows(Assignment, ASSIGNMENT, self._assignments(table, pairs, places))
        copy_rows(Annotation, ANNOTATION, self._annotations(table, places))
        copy_rows(Standing, STANDING, self._standings(table, places))
        for place in places:
            self.served[place.person] += 1
            self.balance[place.person] += 1 if place.left == 0 else -1
            self.active_ms[place.person] += int(place.seconds * 1000)
        for number, seat in enumerate(self.seats):
            Seat.objects.filter(pk=seat.pk).update(
                served=self.served[number],
                left_balance=self.balance[number],
                active_ms=self.active_ms[number],
                worked_until=self._time(self.served[number]),
            )

    def _time(self, answers: int) -> datetime:
        """Return when a person has sent so many answers."""
        return self.start + timedelta(seconds=self.gap_s * answers)

    def _places(self, table: Table) -> Iterator[_Place]:
        columns = (table.person, table.left, table.served, table.sheet.seconds)
        keys = zip(new_keys(Assignment, len(table)), new_keys(Annotation, len(table)), strict=True)
        rows = zip(keys, *(column.tolist() for column in columns), strict=True)
        for row, ((assignment, annotation), person, left, served, seconds) in enumerate(rows):
            worked = min(seconds, 0.95 * self.gap_s)
            yield _Place(row, assignment, annotation, person, left, served, worked, self._time(served + 1))

    def _assignments(self, table: Table, pairs: list[int], places: list[_Place]) -> Iterator[tuple[Any, ...]]:
        study = self.study
        for place, pair in zip(places, table.pair.tolist(), strict=True):
            shown_at = place.ended_at - timedelta(seconds=place.seconds)
            yield (
                *(place.assignment, study.pk, pairs[pair], self.people[place.person].pk, "", VIDEOS[place.left]),
                *(self._shown(place)[0], "submitted", shown_at, shown_at, shown_at + timedelta(seconds=study.lease_s)),
                *(place.ended_at, study.protocol_version, study.guideline_version),
            )

    def _shown(self, place: _Place) -> tuple[str, str]:
        return self.shown[place.person, place.left, place.served // DIMENSION_BLOCK % 2]

    def _annotations(self, table: Table, places: list[_Place]) -> Iterator[tuple[Any, ...]]:
        study, sheet = self.study, table.sheet
        rows = zip(places, sheet.choices.tolist(), any_of_last(sheet.tags).tolist(), sheet.unsure.tolist(), strict=True)
        for place, choices, tagged, unsure in rows:
            active_ms = int(place.seconds * 1000)
            tags = [list(harms_of(sheet, place.row, video)) if tagged[video] else [] for video in (0, 1)]
            yield (
                *(place.annotation, study.pk, place.assignment, self.people[place.person].pk, uuid4(), place.ended_at),
                *(VIDEOS[choice] for choice in choices),
                *(*tags, unsure, active_ms, f'{{"total_active": {active_ms}}}'),
                *(orjson.dumps(viewing_of(place.seconds)).decode(), self._shown(place)[1]),
                *(study.protocol_version, study.guideline_version),
            )

    def _standings(self, table: Table, places: list[_Place]) -> Iterator[tuple[Any, ...]]:
        """Yield the standings. Answers that contradict themselves are invalid, as through submission."""
        for place, contradictory in zip(places, table.sheet.contradictory.tolist(), strict=True):
            validity, reason = ("invalid", REASON) if contradictory else ("valid", "")
            yield place.assignment, self.study.pk, place.annotation, validity, reason
