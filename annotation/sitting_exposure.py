"""What people see of possibly harmful video outside ordinary work. It counts towards the same daily limit.

A *sitting* is one showing of a pair to somebody who reviews it, or who qualifies with it. Each app has its own table of
their exposure, with the columns of `ExposureCounters` and one row for each sitting and day.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from accounts import days
from accounts.models import User
from annotation import exposure
from annotation.exposure_reports import ReportRecorder, showings
from annotation.models import ExposureCounters
from annotation.protocol import VIDEOS
from catalog.models import Pair


class Shown(Protocol):
    """What shows a pair to a person: a review, for example."""

    sitting: UUID
    study_id: int

    @property
    def pair(self) -> Pair: ...


def expect(table: type[ExposureCounters], shown: Shown, pair: Pair, person: User, now: datetime) -> float:
    """Record what the sitting is expected to show, until it is reported. Return the seconds, 0 for a harmless pair.

    Args:
        table: the app's table of exposure, with `sitting`, `study` and `person`.
    """
    if pair.lane != Pair.Lane.SENSITIVE:
        return 0.0
    seconds = exposure.LOOKS * sum(video.asset.duration_s or 0.0 for video in (pair.video_0, pair.video_1))
    today = days.day_of(person, now)
    _row, is_new = table.objects.get_or_create(  # type: ignore[attr-defined]  # a concrete table
        sitting=shown.sitting,
        day=today,
        defaults={"study_id": shown.study_id, "person": person, "expected_s": seconds, "lapses_s": seconds},
    )
    if not is_new:
        return 0.0
    exposure.add_to_dose(person.pk, [(today, seconds)])
    return seconds


def report(
    table: Any,
    shown: Shown,
    person: User,
    care: Mapping[str, Any] | None,
    *,
    showing: str,
    ends: bool,
    too_distressing: bool = False,
) -> None:
    """Record what the page reports (`care`), and with `ends` what is left of the estimate.

    Call it in a transaction that has locked what is shown.

    Args:
        table: the app's table of exposure.
        showing: the name of a showing that the report does not name.
        too_distressing: the person skipped the pair for this reason, whatever the pair may show.
    """
    rows = {row.day: row for row in table.objects.select_for_update().filter(sitting=shown.sitting)}
    sensitive = bool(rows) or shown.pair.lane == Pair.Lane.SENSITIVE or too_distressing
    if not sensitive and not (care and care.get("hidden")):
        return
    ids = {"sitting": shown.sitting, "study_id": shown.study_id, "person_id": person.pk}
    recorder = ReportRecorder(person, rows, lambda day: table(**ids, day=day))
    for one in showings(care, showing) if care is not None else ():
        recorder.add(one, VIDEOS if sensitive else ())
    if care is not None and care.get("revealed_s") is not None:
        recorder.replace_estimate(is_live=not ends)
    elif ends:
        recorder.end_without_report()
    if too_distressing:
        recorder.row(recorder.today).too_distressing = True
    recorder.save()
