"""Lists of pauses and judgements, for pages and the CSV file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from studies.models import Study
from studies.pseudonyms import pseudonym
from suspensions.models import Pause, PauseJudgement, PauseRule, UndoneJudgement
from suspensions.pause_figures import ACCURACIES, CONTROLS

Figure = PauseRule.Figure
#: Where the rows behind a figure are listed: the address and its filter.
ROWS = {
    Figure.BLIND: ("answers:list", ""),
    Figure.CONTRADICTIONS: ("findings:findings", "&rule=contradiction"),
    Figure.TOO_FAST: ("findings:findings", "&rule=faster_than_videos"),
    **{kind: ("controls:control_results", f"&kind={kind.value}") for kind in CONTROLS},
}


@dataclass(frozen=True, slots=True)
class Line:
    """One judgement with what the page shows of it."""

    judgement: PauseJudgement
    pause: Pause | None
    address: str
    undone: UndoneJudgement | None = None

    @property
    def share(self) -> float:
        return self.judgement.hits / self.judgement.items

    @property
    def bound(self) -> str:
        """Return the threshold in words: the least accuracy, or the largest share."""
        least = self.judgement.figure in ACCURACIES
        return _("at least") if least else _("at most")


def judgements(study: Study, *, person_id: int | None = None, only_beyond: bool = False) -> QuerySet[PauseJudgement]:
    """Return the judgements of the study, the latest first."""
    rows = PauseJudgement.objects.filter(study=study).select_related("person", "pause__ended_by", "undone__control")
    if person_id is not None:
        rows = rows.filter(person=person_id)
    return (rows.filter(beyond=True) if only_beyond else rows).order_by("-pk")


def lines(study: Study, rows: Any) -> list[Line]:
    """Return what the page shows of these judgements."""
    return [line(study, row) for row in rows]


def line(study: Study, judgement: PauseJudgement) -> Line:
    """Return what the page shows of a judgement."""
    page, rule = ROWS[Figure(judgement.figure)]
    author = pseudonym(study, judgement.person_id)
    address = f"{reverse(page, args=[study.slug])}?author={author}{rule}"
    return Line(judgement, getattr(judgement, "pause", None), address, getattr(judgement, "undone", None))


def in_force(study: Study) -> list[tuple[Pause, Line]]:
    """Return the pauses in force, the earliest first, each with its judgement."""
    found = Pause.objects.filter(study=study, ended_at=None).select_related(
        "person", "judgement__person", "judgement__undone"
    )
    return [(pause, line(study, pause.judgement)) for pause in found.order_by("began_at")]


COLUMNS = (
    *("username", "figure", "items", "hits", "low", "high", "threshold", "beyond_threshold", "judged_at"),
    *("paused", "pause_ended_at", "pause_ended_because", "control_withdrawn"),
)


def copy_as_csv(rows: QuerySet[PauseJudgement], target: CopyFile) -> None:
    """Write judgements to a CSV file. Raise DatabaseError or OSError if that fails."""
    write_rows(COLUMNS, _cells(rows), target)


def _cells(rows: QuerySet[PauseJudgement]) -> Iterator[list[Any]]:
    for row in rows.iterator(chunk_size=2000):
        pause, undone = getattr(row, "pause", None), getattr(row, "undone", None)
        ended = pause.ended_at.isoformat(timespec="seconds") if pause and pause.ended_at else ""
        yield [
            *(row.person.username, row.figure, row.items, row.hits, round(row.low, 4), round(row.high, 4)),
            *(row.threshold, "yes" if row.beyond else "no", row.judged_at.isoformat(timespec="seconds")),
            *("yes" if pause else "no", ended, pause.ended_because if pause else ""),
            undone.control_id if undone else "",
        ]
