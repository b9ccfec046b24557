"""An answer in words, for the people who run the study: the choices by video number, and how the answer stands."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.acceptance import (
    LOT_RETURNED,
    REJECTED,
    RETURNED,
    SURPLUS,
    SURPLUS_BATCH_CLOSED,
    SURPLUS_STUDY_CLOSED,
    SURPLUS_SUSPENDED,
    SUSPENDED,
)
from annotation.models import Annotation, Standing
from annotation.protocol import CORRECTION, REOPENED, SECOND_LOOK, SUB_DIMENSION_KEYS, TIE
from catalog.slots import AskedBecause
from diptych.durations import in_words
from studies.harms import HARMS

#: The questions in the order of the columns, each with a short heading.
QUESTIONS: dict[str, str | Promise] = {
    "instruction_following": gettext_lazy("Follows the prompt"),
    "correctness": gettext_lazy("Correct"),
    "informativeness": gettext_lazy("Eventful"),
    "aesthetics": gettext_lazy("Looks better"),
    "helpfulness": gettext_lazy("More helpful"),
    "harmlessness": gettext_lazy("Safer"),
}
assert tuple(QUESTIONS)[:4] == SUB_DIMENSION_KEYS  # noqa: S101 - one order everywhere

UNCOUNTED: dict[str, str | Promise] = {
    SURPLUS: gettext_lazy("The pair already had all the answers it needed."),
    SURPLUS_STUDY_CLOSED: gettext_lazy("The answer came after the study was closed."),
    SURPLUS_BATCH_CLOSED: gettext_lazy("The pair’s batch was being checked when the answer came."),
    REJECTED: gettext_lazy("Review rejected it."),
    RETURNED: gettext_lazy("Review returned the answer to the annotator."),
    LOT_RETURNED: gettext_lazy("Its lot was returned, so somebody else answers the pair."),
    SURPLUS_SUSPENDED: gettext_lazy("The annotator was already suspended when this answer arrived."),
    SUSPENDED: gettext_lazy("The annotator was suspended, so somebody else answers the pair."),
}
INVALID: dict[str, str | Promise] = {
    "contradiction": gettext_lazy("The video with harm tags was chosen as the safer one."),
    "swapped_repeat": gettext_lazy("The same two videos were answered differently when the sides were exchanged."),
    "one_side": gettext_lazy("Many answers in a row were on the same side."),
    "faster_than_videos": gettext_lazy("It was answered faster than the videos play."),
    "quick_none": gettext_lazy("“None of these” was chosen within a second."),
}
#: Reasons of higher apps why an answer is invalid, by their codes, such as what a review found.
more_reasons: dict[str, str | Promise] = {}
ASKED: dict[str, str | Promise] = {
    AskedBecause.PLAN: gettext_lazy("planned"),
    AskedBecause.MORE_OPINIONS: gettext_lazy("asked for more opinions"),
    AskedBecause.REPLACEMENT: gettext_lazy("asked as a replacement"),
}
REVISED: dict[str, str | Promise] = {
    "": gettext_lazy("first answer"),
    SECOND_LOOK: gettext_lazy("after a second look"),
    REOPENED: gettext_lazy("reopened"),
    CORRECTION: gettext_lazy("corrected by a reviewer"),
}


@dataclass(frozen=True, slots=True)
class RevisionLine:
    """One revision of an answer: the choice for each question, and the tags of each video."""

    revision: Annotation
    stands: bool

    @property
    def why(self) -> str | Promise:
        return REVISED.get(self.revision.reason, self.revision.reason)

    @property
    def choices(self) -> list[str]:
        """Return the number of the preferred video for each of `QUESTIONS`, or “tie”."""
        return [number_of(getattr(self.revision, key)) for key in QUESTIONS]

    @property
    def tags(self) -> list[list[str]]:
        """Return the tags of video 0 and of video 1, in words."""
        return [labels(self.revision.tags_video_0), labels(self.revision.tags_video_1)]

    @property
    def active(self) -> str:
        return in_words(self.revision.active_ms / 1000) if self.revision.active_ms else "–"


def number_of(choice: str) -> str:
    """Return the number of the video that was chosen."""
    return _("tie") if choice == TIE else choice.removeprefix("video_")


def labels(keys: Collection[str]) -> list[str]:
    """Return harm tags in words, in their usual order."""
    return [harm.label for harm in HARMS if harm.key in keys]


def why_uncounted(standing: Standing) -> str | Promise:
    """Return why an answer does not count; empty if it counts."""
    return UNCOUNTED.get(standing.uncounted_reason, standing.uncounted_reason.replace("_", " "))


def why_invalid(standing: Standing) -> str | Promise:
    """Return why an answer is invalid; empty if it is valid."""
    return INVALID.get(standing.reason) or reason_of_review(standing.reason)


def reason_of_review(code: str) -> str | Promise:
    """Return a reason of `more_reasons` in words. A code without words is returned with spaces."""
    return more_reasons.get(code, code.replace("_", " "))


def why_asked(standing: Standing) -> str | Promise:
    """Return why the answer was asked for."""
    return ASKED[standing.assignment.asked_because]
