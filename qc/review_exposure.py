"""What a reviewer saw of possibly harmful video. It counts towards the same daily limit as that of annotators."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from accounts.models import User
from annotation import sitting_exposure
from catalog.models import Pair
from consent import wellbeing
from qc.models import ReviewExposure


class Shown(sitting_exposure.Shown, Protocol):
    """What shows a pair to somebody of the quality team: a review, or a turn of a calibration."""

    @property
    def showing(self) -> str:
        """The name of a showing that the report of the page does not name."""


def expect(review: Shown, pair: Pair, person: User, now: datetime) -> float:
    """Record what the sitting is expected to show, until it is reported. Return the seconds, 0 for a harmless pair."""
    return sitting_exposure.expect(ReviewExposure, review, pair, person, now)


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
    sitting_exposure.report(
        ReviewExposure, review, person, care, showing=review.showing, ends=ends, too_distressing=too_distressing
    )
