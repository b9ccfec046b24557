"""What a reviewer saw of possibly harmful video. It counts towards the same daily limit as that of annotators."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from accounts import days
from accounts.models import User
from annotation import exposure, wellbeing
from annotation.exposure_reports import ReportRecorder, showings
from annotation.protocol import VIDEOS
from catalog.models import Pair
from qc.models import ReviewExposure


class Shown(Protocol):
    """What shows a pair to somebody of the quality team: a review, or a turn of a calibration."""

    sitting: Any
    study_id: Any

    @property
    def pair(self) -> Pair:
        """The pair that is shown."""

    @property
    def showing(self) -> str:
        """The name of a showing that the report of the page does not name."""


def expect(review: Shown, pair: Pair, person: User, now: datetime) -> float:
    """Record what the sitting is expected to show, until it is reported. Return the seconds, 0 for a harmless pair."""
    if pair.lane != Pair.Lane.SENSITIVE:
        return 0.0
    seconds = exposure.LOOKS * sum(video.asset.duration_s or 0.0 for video in (pair.video_0, pair.video_1))
    today = days.day_of(person, now)
    _row, is_new = ReviewExposure.objects.get_or_create(
        sitting=review.sitting,
        day=today,
        defaults={"study_id": review.study_id, "person": person, "expected_s": seconds, "lapses_s": seconds},
    )
    if not is_new:
        return 0.0
    exposure.add_to_dose(person.pk, [(today, seconds)])
    return seconds


def show_on_wellbeing_pages() -> None:
    """Let the pages on exposure count what reviewers saw. Called once, when the apps are ready."""
    wellbeing.exposures.append(ReviewExposure)


def report(
    review: Shown, person: User, care: Mapping[str, Any] | None, *, ends: bool, too_distressing: bool = False
) -> None:
    """Record what the page reports (`care`), and with `ends` what is left of the estimate.

    Call it in a transaction that has locked the sitting's reviews.

    Args:
        too_distressing: the reviewer skipped the pair for this reason, whatever the pair may show.
    """
    rows = {row.day: row for row in ReviewExposure.objects.select_for_update().filter(sitting=review.sitting)}
    sensitive = bool(rows) or review.pair.lane == Pair.Lane.SENSITIVE or too_distressing
    if not sensitive and not (care and care.get("hidden")):
        return
    ids = {"sitting": review.sitting, "study_id": review.study_id, "person_id": person.pk}
    recorder = ReportRecorder(person, rows, lambda day: ReviewExposure(**ids, day=day))
    for one in showings(care, review.showing) if care is not None else ():
        recorder.add(one, VIDEOS if sensitive else ())
    if care is not None and care.get("revealed_s") is not None:
        recorder.replace_estimate(is_live=not ends)
    elif ends:
        recorder.end_without_report()
    if too_distressing:
        recorder.row(recorder.today).too_distressing = True
    recorder.save()
