"""Tables of what reviews found: defects, decisions about lots, and the strictness of reviewers."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from answers.words import QUESTIONS
from diptych.numbers import grouped
from diptych.statistics.rates import share_between
from figures.overview import decided, defects
from figures.overview.decided import Week
from figures.overview.defects import TAGS_KEY
from figures.overview.reader import Reader
from figures.overview.tables import Cell, Column, Table, days_words, number, share
from qc.models import Verdict
from qc.models.reviews import Kind


def question_label(question: str) -> str:
    """Return the short name of a question, or of both rows of tags."""
    return _("Tags") if question == TAGS_KEY else str(QUESTIONS[question])


def reason_label(reason: str) -> str:
    """Return a reason code of a defect in words, or the ruling that has no code."""
    if reason in Verdict.Code.values:
        return str(Verdict.Code(reason).label)
    return str(Verdict.Ruling(reason).label).capitalize()


def _defects(reader: Reader, name: str, title: str, label: str, rows: Iterable[list[Cell]], note: str = "") -> Table:
    columns = [Column(name.removeprefix("defects-by-"), label), Column("defects", _("Defects"), True)]
    return Table(name, title, columns, list(rows), note, empty=_("No defect has been confirmed yet."))


def by_code(reader: Reader) -> Table:
    sums = defects.summed(reader.numbers, lambda one: one.code)
    rows = [[Cell(key, reason_label(key)), number(n, reader.defect_rows(code=key))] for key, n in sums]
    return _defects(reader, "defects-by-reason", _("Defects, by reason"), _("Reason"), rows)


def by_question(reader: Reader) -> Table:
    sums = defects.summed(reader.numbers, lambda one: one.question)
    rows = [[Cell(key, question_label(key)), number(n, reader.defect_rows(question=key))] for key, n in sums]
    return _defects(reader, "defects-by-question", _("Defects, by question"), _("Question"), rows)


def by_week(reader: Reader) -> Table:
    sums = sorted(defects.summed(reader.numbers, lambda one: one.week), reverse=True)
    rows = [[_week(week), number(n, reader.defect_rows(week=week.isoformat()))] for week, n in sums]
    return _defects(reader, "defects-by-week", _("Defects, by week"), _("Week starting"), rows)


def decisions(reader: Reader) -> Table:
    """Return the decisions by week: acceptance at the first attempt, and the time that decisions took."""
    weeks = decided.by_week(reader.batches)
    rows = [[_week(week), *_week_cells(reader, figures, {"week": week.isoformat()})] for week, figures in weeks.items()]
    total = decided.summary(reader.batches)
    return Table(
        "decisions-by-week",
        _("Decisions, by week"),
        [
            Column("week", _("Week starting")),
            Column("lots_first_attempt", _("Lots in their first attempt"), True),
            Column("accepted_first_attempt", _("Of these, accepted"), more=("accepted_low", "accepted_high")),
            Column("lots_later_attempts", _("Lots in a later attempt"), True),
            Column("batches", _("Batches"), True),
            Column("median_days", _("Median time"), True),
            Column("p90_days", _("9 of 10 within"), True),
        ],
        rows,
        total=[Cell("", _("All weeks")), *_week_cells(reader, total, {})] if rows else [],
        note=_(
            "The time runs from the moment when a batch was annotated to the decision about its lot. The interval "
            "is exact, "
            "with a confidence of 95 %."
        ),
        empty=_("No lot has been decided yet."),
    )


def _week_cells(reader: Reader, week: Week, about: dict[str, Any]) -> list[Cell]:
    bounds = share_between(week.accepted_first, week.decided_first)
    accepted = reader.decided_rows(attempt="first", outcome="accepted", **about)
    return [
        number(week.decided_first, reader.decided_rows(attempt="first", **about)),
        share(week.accepted_first, week.decided_first, bounds, accepted if week.accepted_first else ""),
        number(week.decided_later, reader.decided_rows(attempt="later", **about)),
        number(week.batches, reader.decided_rows(**about)),
        _took(week.median),
        _took(week.p90),
    ]


def rework(reader: Reader) -> Table:
    """Return the rounds of rework."""
    rows = [
        [
            Cell(row.attempt, grouped(row.attempt)),
            number(row.lots, reader.decided_rows(attempt=row.attempt)),
            number(row.accepted, reader.decided_rows(attempt=row.attempt, outcome="accepted")),
            number(row.lots - row.accepted, reader.decided_rows(attempt=row.attempt, outcome="returned")),
            Cell(row.answers, grouped(row.answers)),
        ]
        for row in decided.rework(reader.batches)
    ]
    return Table(
        "rework",
        _("Rounds of rework"),
        [
            Column("attempt", _("Attempt"), True),
            Column("lots", _("Lots"), True),
            Column("accepted", _("Lots accepted"), True),
            Column("returned", _("Lots returned"), True),
            Column("answers", _("Answers judged"), True),
        ],
        rows,
        note=_("Each attempt after the first is a round of rework: the same batches are judged again."),
        empty=_("No lot has been decided yet."),
    )


def strictness(reader: Reader) -> Table:
    """Return the share of defects that each reviewer calls among answers that were drawn at random."""
    found = reader.figures.figures.get("strictness", []) if reader.figures else []
    return Table(
        "strictness",
        _("Strictness of reviewers"),
        [
            Column("kind", _("Kind of review")),
            Column("reviewer", _("Reviewer")),
            Column("judged", _("Random answers judged"), True),
            Column("called", _("Called defective"), True),
            Column("share", _("Share"), more=("share_low", "share_high")),
            Column("confirmed", _("Confirmed"), True),
        ],
        [
            [
                Cell(row["kind"], str(Kind(row["kind"]).label).capitalize()),
                Cell(reader.people[row["reviewer"]], reader.people[row["reviewer"]], is_name=True),
                number(row["judged"], _reviewed(reader, row)),
                number(row["called"], _reviewed(reader, row, called="yes")),
                share(row["called"], row["judged"], row["bounds"]),
                number(row["confirmed"], _reviewed(reader, row, confirmed="yes")),
            ]
            for row in sorted(found, key=lambda row: (row["kind"], reader.people[row["reviewer"]]))
        ],
        note=_(
            "These figures are for the whole study. Only answers that were drawn at random are used, without "
            "those that were assigned to the reviewer. Reviewers of one kind judge samples of the same answers, "
            "so intervals that do not overlap show different standards. The interval is exact, with a confidence "
            "of 95 %."
        ),
        empty=_("Nobody has judged a randomly drawn answer yet."),
    )


def _reviewed(reader: Reader, row: dict[str, Any], **about: str) -> str:
    about = {"reviewer": reader.people[row["reviewer"]], "kind": row["kind"], "random": "yes"} | about
    return f"{reverse('figures:reviewed', args=[reader.study.slug])}?{urlencode(about)}"


def _week(week: Any) -> Cell:
    return Cell(week.isoformat(), date_format(week, "Y-m-d"))


def _took(took: timedelta | None) -> Cell:
    return Cell(None if took is None else round(took / timedelta(days=1), 3), days_words(took))
