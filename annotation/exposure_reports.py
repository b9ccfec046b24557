"""Reports of pages on what was revealed (`care`). Each report is recorded on the day on which it was revealed.

A report has the counters of one *showing*: one visit of one page to a pair. They start at 0 and only grow. The highest
value of each counter is used, so a repeated or late report changes nothing. A report may name its showing, and may
include earlier showings whose own reports may be lost. A report without a name is of the current lease.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.utils import timezone

from accounts.days import day_of
from accounts.models import User
from annotation.exposure import add_to_dose
from annotation.models import Assignment, Exposure, ExposureCounters
from annotation.protocol import VIDEOS
from catalog.models import Pair

#: More seconds than this are not accepted for one pair on one day.
MOST_SECONDS = 3600.0
#: A report may name earlier days, back to this limit. Seconds of any other day are recorded on the day of the report.
MOST_DAYS_BACK = timedelta(days=31)
#: For more showings than this of one pair on one day, only the highest counters are stored.
MOST_SHOWINGS, OTHER_SHOWINGS = 50, "others"

Counters = dict[str, float]


@dataclass(frozen=True, slots=True)
class Showing:
    """The counters of one showing: seconds by video, the share of them by day, and how often the videos were hidden."""

    name: str
    revealed_s: Mapping[str, float]
    by_day: Mapping[date, Mapping[str, float]] = field(default_factory=dict)
    hidden: int = 0


def showings(care: Mapping[str, Any], name: str) -> Iterator[Showing]:
    """Yield the showings in a report. `name` is for the one without a name."""
    for one in (*care.get("earlier", ()), care):
        yield Showing(
            one.get("showing") or name,
            one.get("revealed_s") or {},
            {date.fromisoformat(day): seconds for day, seconds in (one.get("by_day") or {}).items()},
            one.get("hidden", 0),
        )


def has_hides(care: Mapping[str, Any]) -> bool:
    """Return whether the person hid the videos. That is recorded for every pair, also for one without known harm."""
    return any(one.hidden for one in showings(care, ""))


def lease_of(assignment: Assignment) -> str:
    """Return the name of a showing that the report does not name."""
    return f"lease {assignment.lease_number}"


def record_report(
    assignment: Assignment,
    person: User,
    *,
    care: Mapping[str, Any] | None,
    showing: str,
    sensitive: bool,
    is_live: bool = False,
    tagged: Collection[str] = (),
    too_distressing: bool = False,
) -> float:
    """Record a report, which replaces the estimate. Return the seconds by which today's dose grew.

    Call it in a transaction that has locked the assignment.

    Args:
        care: `{"revealed_s": {"video_0": seconds, …}, "hidden": times, …}` as the page reports it. Without it, or
            without `revealed_s`, the estimate is kept.
        showing: the name of the showing if the report has none.
        sensitive: whether the pair may show harm. If not, only `tagged` videos count.
        is_live: whether the lease goes on. If so, the rest of the estimate is still expected, today.
        tagged: the videos that the person tagged.
    """
    rows = {
        row.day: row for row in Exposure.objects.select_for_update().filter(assignment_id=assignment.pk).order_by("day")
    }
    sensitive = sensitive or any(row.expected_s or row.revealed_s for row in rows.values())
    counted = VIDEOS if sensitive or too_distressing else [video for video in VIDEOS if video in tagged]
    if not (sensitive or too_distressing or (care and (tagged or has_hides(care)))):
        return 0.0
    if not rows and care is None and not too_distressing:
        return 0.0
    ids = {"assignment_id": assignment.pk, "study_id": assignment.study_id, "person_id": person.pk}
    recorder = ReportRecorder(person, rows, lambda day: Exposure(**ids, day=day))
    for one in showings(care, showing) if care is not None else ():
        recorder.add(one, counted)
    if care is not None and care.get("revealed_s") is not None:
        recorder.replace_estimate(is_live=is_live)
    elif not is_live:
        recorder.end_without_report()
    if too_distressing:
        recorder.row(recorder.today).too_distressing = True
    return recorder.save()


Row = TypeVar("Row", bound=ExposureCounters)


class ReportRecorder(Generic[Row]):
    """One person's exposure to one pair by day, while a report is recorded. `make` makes the row of a day."""

    def __init__(self, person: User, rows: dict[date, Row], make: Callable[[date], Row]) -> None:
        self.person, self.rows, self._make = person, rows, make
        self.today = day_of(person, timezone.now())
        self.before = {day: row.revealed_s + row.expected_s for day, row in rows.items()}
        self.newly_revealed_s = 0.0

    def row(self, day: date) -> Row:
        """Return the row of a day. Create it if there is none."""
        if day not in self.rows:
            self.rows[day] = self._make(day)
        return self.rows[day]

    def add(self, showing: Showing, counted: Collection[str]) -> None:
        """Add the seconds that are new in this report, on the days that it names, and otherwise today."""
        name = self._name(showing)
        for video in counted:
            left = showing.revealed_s.get(video, 0.0) - self._known(name, video)
            for day, seconds in sorted(showing.by_day.items()):
                if self.today - MOST_DAYS_BACK <= day <= self.today:
                    there = self._counters(day, name).get(video, 0.0)
                    left -= self._add_seconds(day, name, video, min(left, seconds.get(video, 0.0) - there))
            self._add_seconds(self.today, name, video, left)
        hidden = showing.hidden - int(self._known(name, "hidden"))
        if hidden > 0:
            self._count(self.today, name, "hidden", hidden)
            self.row(self.today).hidden += hidden

    def _name(self, showing: Showing) -> str:
        names = {name for row in self.rows.values() for name in row.reported}
        return showing.name if showing.name in names or len(names) < MOST_SHOWINGS else OTHER_SHOWINGS

    def _known(self, showing: str, counter: str) -> float:
        return sum(row.reported.get(showing, {}).get(counter, 0) for row in self.rows.values())

    def _counters(self, day: date, showing: str) -> Counters:
        counters: Counters = self.rows[day].reported.get(showing, {}) if day in self.rows else {}
        return counters

    def _add_seconds(self, day: date, showing: str, video: str, seconds: float) -> float:
        """Add seconds of a video to a day. Return the seconds that were added."""
        if seconds <= 0:
            return 0.0
        self._count(day, showing, video, seconds)
        row = self.row(day)
        row.revealed_s = min(MOST_SECONDS, row.revealed_s + seconds)
        self.newly_revealed_s += seconds
        return seconds

    def _count(self, day: date, showing: str, counter: str, more: float) -> None:
        reported = self.row(day).reported
        counters: Counters = reported.setdefault(showing, {})
        counters[counter] = counters.get(counter, 0) + more

    def replace_estimate(self, *, is_live: bool) -> None:
        """Replace the estimate with what was reported. If the lease is live, the rest is still expected today."""
        left = max((row.expected_s for row in self.rows.values()), default=0.0) - self.newly_revealed_s
        for row in self.rows.values():
            row.expected_s = row.lapses_s = 0.0
        if is_live and left > 0:
            row = self.row(self.today)
            row.expected_s = row.lapses_s = left

    def end_without_report(self) -> None:
        """Keep the estimate, unless an earlier report of the lease has replaced it."""
        for row in self.rows.values():
            if row.reported:
                row.expected_s -= row.lapses_s
            row.lapses_s = 0.0

    def save(self) -> float:
        """Save the rows and the doses. Return the seconds by which today's dose grew."""
        changes = {}
        for day, row in self.rows.items():
            row.save()
            changes[day] = row.revealed_s + row.expected_s - self.before.get(day, 0.0)
        add_to_dose(self.person.pk, changes.items())
        return changes.get(self.today, 0.0)


@transaction.atomic
def record_separate_report(assignment: Assignment, person: User, care: Mapping[str, Any], *, showing: str = "") -> None:
    """Record a report that comes on its own, in any state of the assignment.

    Args:
        showing: the name of the showing if the report has none. If it is empty, the report is of the current lease.
    """
    locked = Assignment.objects.select_for_update(of=("self",)).select_related("pair").get(pk=assignment.pk)
    record_report(
        locked,
        person,
        care=care,
        showing=showing or lease_of(locked),
        sensitive=locked.pair.lane == Pair.Lane.SENSITIVE,
        is_live=locked.state == Assignment.State.LEASED,
    )
