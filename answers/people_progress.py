"""How much each person has done in a study, in total or between two days: pairs, active time, pace.

Only answers are read, and the time of other paid work. Skips, hidden videos, breaks and exposure never enter a figure
about a person.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from annotation import active_time
from diptych.database.natural import natural_key
from diptych.downloads import CopyFile
from diptych.durations import HOUR, MINUTE, in_words
from diptych.spreadsheet import write_rows
from studies.models import Study
from studies.pseudonyms import pseudonym


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `first` to `last`, both included, in a time zone. None means no bound."""

    zone: tzinfo
    first: date | None = None
    last: date | None = None

    @property
    def since(self) -> datetime | None:
        return datetime.combine(self.first, time(), self.zone) if self.first else None

    @property
    def until(self) -> datetime | None:
        """Return the moment at which the last day ends."""
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone) if self.last else None


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums of the answers of one person, of one day, or of all.

    `pairs` were first answered in that time. `uncounted` of them do not count, and `invalid` others are marked
    invalid. `active_ms` is milliseconds of active time on them, including later changes of answers. `other_ms` is
    active time on other work that is paid too, such as a qualification.
    """

    pairs: int = 0
    uncounted: int = 0
    invalid: int = 0
    unsure: int = 0
    active_ms: int = 0
    other_ms: int = 0

    @property
    def used(self) -> int:
        """Return the number of pairs whose answers count and are valid."""
        return self.pairs - self.uncounted - self.invalid

    @property
    def paid_ms(self) -> int:
        """Return the milliseconds of all active time."""
        return self.active_ms + self.other_ms

    @property
    def active(self) -> str:
        return in_words(self.paid_ms / 1000, to=MINUTE)

    @property
    def other(self) -> str:
        return in_words(self.other_ms / 1000, to=MINUTE) if self.other_ms else ""

    @property
    def s_a_pair(self) -> float | None:
        """Return the seconds of active time per pair, or None without pairs."""
        return self.active_ms / 1000 / self.pairs if self.pairs else None

    @property
    def time_a_pair(self) -> str:
        return "" if self.s_a_pair is None else in_words(self.s_a_pair)

    @property
    def pairs_an_hour(self) -> float | None:
        """Return the pairs per hour of active time, or None without active time."""
        return self.pairs * HOUR * 1000 / self.active_ms if self.active_ms else None

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.pairs + other.pairs,
            self.uncounted + other.uncounted,
            self.invalid + other.invalid,
            self.unsure + other.unsure,
            self.active_ms + other.active_ms,
            self.other_ms + other.other_ms,
        )


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person's figures. `is_annotator`: whether they have that role now."""

    person_id: int
    username: str
    is_annotator: bool
    figures: Figures
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class DayRow:
    """One person's figures for one day."""

    person_id: int
    username: str
    day: date
    figures: Figures


_DURING = """
   AND (%(since)s::timestamptz IS NULL OR {column} >= %(since)s::timestamptz)
   AND (%(until)s::timestamptz IS NULL OR {column} < %(until)s::timestamptz)
   AND (%(person)s::bigint IS NULL OR {person} = %(person)s::bigint)
"""
#: All answers are read from the index `annotation_by_person` only. The few unused ones come from `standing_invalid` and
#: `standing_uncounted`. An assignment ends when its first answer is stored, so both parts mean the same days.
_GIVEN = f"""
SELECT annotation.author_id AS person_id, {{day}} AS day,
       count(*) FILTER (WHERE annotation.revision = 1) AS pairs,
       count(*) FILTER (WHERE annotation.revision = 1 AND annotation.unsure) AS unsure,
       sum(annotation.active_ms) AS active_ms, min(annotation.submitted_at) AS first_at,
       max(annotation.submitted_at) AS last_at
  FROM annotation_annotation annotation
 WHERE annotation.study_id = %(study)s AND annotation.author_kind = 'annotator'
{_DURING.format(column="annotation.submitted_at", person="annotation.author_id")}
 GROUP BY 1, 2
"""  # noqa: S608 - of constants
_NOT_USED = f"""
SELECT assignment.person_id, {{day}} AS day,
       count(*) FILTER (WHERE NOT standing.counted) AS uncounted,
       count(*) FILTER (WHERE standing.counted) AS invalid
  FROM annotation_standing standing JOIN annotation_assignment assignment ON assignment.id = standing.assignment_id
 WHERE standing.study_id = %(study)s AND (NOT standing.counted OR standing.validity = 'invalid')
{_DURING.format(column="assignment.ended_at", person="assignment.person_id")}
 GROUP BY 1, 2
"""  # noqa: S608 - of constants

_FIGURES = """
coalesce(given.pairs, 0), coalesce(not_used.uncounted, 0), coalesce(not_used.invalid, 0),
coalesce(given.unsure, 0), coalesce(given.active_ms, 0)::bigint
"""
#: On all days: the stored sums, and the answers after them. Without sums, these are all answers.
_GIVEN_EVER = """
SELECT person_id, sum(pairs)::bigint AS pairs, sum(unsure)::bigint AS unsure, sum(active_ms)::bigint AS active_ms,
       min(first_at) AS first_at, max(last_at) AS last_at
  FROM (SELECT annotation.author_id AS person_id, count(*) FILTER (WHERE annotation.revision = 1) AS pairs,
               count(*) FILTER (WHERE annotation.revision = 1 AND annotation.unsure) AS unsure,
               sum(annotation.active_ms) AS active_ms, min(annotation.submitted_at) AS first_at,
               max(annotation.submitted_at) AS last_at
          FROM annotation_annotation annotation
         WHERE annotation.study_id = %(study)s AND annotation.author_kind = 'annotator'
           AND annotation.submitted_at >= (SELECT coalesce(max(until), '-infinity') FROM answers_answeredsum
                                            WHERE study_id = %(study)s)
         GROUP BY 1
         UNION ALL
        SELECT person_id, pairs, unsure, active_ms, first_at, last_at FROM answers_answeredsum
         WHERE study_id = %(study)s) part
 GROUP BY 1
"""
#: Annotators with and without answers, and other people who have answered.
_PEOPLE = f"""
WITH given AS ({{given}}), not_used AS ({_NOT_USED.format(day="1")}), annotator AS (
    SELECT person_id FROM studies_membership
     WHERE study_id = %(study)s AND role = 'annotator'
       AND (%(person)s::bigint IS NULL OR person_id = %(person)s::bigint)
)
SELECT person.id, person.username, annotator.person_id IS NOT NULL, {_FIGURES}, given.first_at, given.last_at
  FROM annotator FULL JOIN given ON given.person_id = annotator.person_id
  LEFT JOIN not_used ON not_used.person_id = given.person_id
  JOIN accounts_user person ON person.id = coalesce(annotator.person_id, given.person_id)
"""  # noqa: S608 - of constants
PEOPLE, PEOPLE_EVER = (_PEOPLE.replace("{given}", given) for given in (_GIVEN.format(day="1"), _GIVEN_EVER))
#: The number of the day. Days are computed in Python, because PostgreSQL may not know a browser's time zone.
_DAY = "width_bucket({column}, %(midnights)s::timestamptz[])"
BY_DAY = f"""
WITH given AS ({_GIVEN.format(day=_DAY.format(column="annotation.submitted_at"))}),
not_used AS ({_NOT_USED.format(day=_DAY.format(column="assignment.ended_at"))})
SELECT person.id, person.username, given.day, {_FIGURES}
  FROM given LEFT JOIN not_used ON not_used.person_id = given.person_id AND not_used.day = given.day
  JOIN accounts_user person ON person.id = given.person_id
"""  # noqa: S608 - of constants


def people(study: Study, days: Days, *, only_answered: bool = False) -> list[PersonRow]:
    """Return the figures of everybody who is an annotator of the study or has answered in it, by name.

    Args:
        only_answered: whether to leave out people without a first answer on these days.
    """
    other = _other_work(study, days, None, [])
    statement = PEOPLE if days.first or days.last else PEOPLE_EVER
    rows = [
        PersonRow(
            person_id,
            name,
            is_annotator,
            Figures(*figures) + Figures(other_ms=other.pop((person_id, 0), 0)),
            first_at,
            last_at,
        )
        for person_id, name, is_annotator, *figures, first_at, last_at in _fetch(statement, study, days)
    ]
    names = _names(person_id for person_id, _day in other)
    rows += [
        PersonRow(person_id, names[person_id], False, Figures(other_ms=spent), None, None)
        for (person_id, _day), spent in other.items()
    ]
    wanted = [row for row in rows if row.figures.pairs or row.figures.other_ms or not only_answered]
    return sorted(wanted, key=lambda row: natural_key(row.username))


def by_day(study: Study, days: Days, *, person_id: int | None = None) -> list[DayRow]:
    """Return the figures of each person and day with answers, by name, latest day first."""
    today = datetime.now(days.zone).date()
    first = days.first or study.created_at.astimezone(days.zone).date()
    last = min(days.last or today, today)
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)] or [first]
    midnights = [datetime.combine(day, time(), days.zone) for day in dates]
    other = _other_work(study, days, person_id, midnights)
    rows = [
        DayRow(
            person,
            name,
            dates[max(number, 1) - 1],
            Figures(*figures) + Figures(other_ms=other.pop((person, number), 0)),
        )
        for person, name, number, *figures in _fetch(BY_DAY, study, days, person_id, midnights)
    ]
    names = _names(person for person, _number in other)
    rows += [
        DayRow(person, names[person], dates[max(number, 1) - 1], Figures(other_ms=spent))
        for (person, number), spent in other.items()
    ]
    return sorted(rows, key=lambda row: (natural_key(row.username), -row.day.toordinal()))


def _other_work(
    study: Study, days: Days, person_id: int | None, midnights: Sequence[datetime]
) -> dict[tuple[int, int], int]:
    """Return milliseconds of other paid work by person and number of the day."""
    wanted = active_time.Wanted([study.pk], days.since, days.until, person_id, midnights)
    return {(person, number): spent for (_study, person, number), spent in active_time.on_other_work(wanted).items()}


def _names(people: Iterable[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=set(people)).values_list("pk", "username"))


def _fetch(
    statement: str, study: Study, days: Days, person_id: int | None = None, midnights: Sequence[datetime] = ()
) -> list[Any]:
    values = {
        "study": study.pk,
        "since": days.since,
        "until": days.until,
        "person": person_id,
        "midnights": list(midnights),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Any] = cursor.fetchall()
    return found


#: Columns by which the list can be sorted: largest first, but names from A. Missing values come last.
SORTS = {
    "name": pgettext_lazy("of a person", "Name"),
    "pairs": _("Pairs"),
    "active": _("Active time"),
    "pace": _("Pairs an hour"),
    "last": _("Last answer"),
}


def sorted_by(rows: Sequence[PersonRow], sort: str) -> list[PersonRow]:
    """Return the rows in one of the orders of `SORTS`."""
    keys = {
        "pairs": lambda row: row.figures.pairs,
        "active": lambda row: row.figures.paid_ms,
        "pace": lambda row: row.figures.pairs_an_hour or 0,
        "last": lambda row: row.last_at.timestamp() if row.last_at else 0,
    }
    return sorted(rows, key=keys[sort], reverse=True) if sort in keys else list(rows)


FIGURE_COLUMNS = ("pairs", "used", "uncounted", "invalid", "unsure", "active_s", "other_s", "s_a_pair", "pairs_an_hour")


def copy_as_csv(study: Study, days: Days, target: CopyFile, *, with_codes: bool, only_answered: bool = False) -> None:
    """Write a CSV line for each person.

    Raise DatabaseError or OSError if the file cannot be written.

    Args:
        with_codes: whether to include each person's pseudonym from the study's other files.
        only_answered: whether to leave out people without answers.
    """
    code = ["annotator_id"] if with_codes else []
    rows = (
        [
            row.username,
            *([pseudonym(study, row.person_id)] if with_codes else []),
            *_cells(row.figures),
            *(moment and moment.astimezone(days.zone).isoformat(timespec="seconds") for moment in _span(row)),
        ]
        for row in people(study, days, only_answered=only_answered)
    )
    write_rows(["username", *code, *FIGURE_COLUMNS, "first_answer", "last_answer"], rows, target)


def copy_days_as_csv(study: Study, days: Days, target: CopyFile, *, with_codes: bool) -> None:
    """Write a CSV line for each person and day, like `copy_as_csv`."""
    code = ["annotator_id"] if with_codes else []
    rows = (
        [
            row.username,
            *([pseudonym(study, row.person_id)] if with_codes else []),
            row.day.isoformat(),
            *_cells(row.figures),
        ]
        for row in by_day(study, days)
    )
    write_rows(["username", *code, "day", *FIGURE_COLUMNS], rows, target)


def _span(row: PersonRow) -> Iterator[datetime | None]:
    return iter((row.first_at, row.last_at))


def _cells(figures: Figures) -> list[Any]:
    return [
        *(figures.pairs, figures.used, figures.uncounted, figures.invalid, figures.unsure),
        round(figures.paid_ms / 1000, 1),
        round(figures.other_ms / 1000, 1),
        "" if figures.s_a_pair is None else round(figures.s_a_pair, 1),
        "" if figures.pairs_an_hour is None else round(figures.pairs_an_hour, 1),
    ]
