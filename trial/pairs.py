"""A trial: people who may configure a study try its workspace, pair by pair, and nothing is saved.

The page is the annotators' page. It uses the endpoints of `trial.api`, which check everything that annotators'
endpoints check but write no seat, lease, slot, answer, draft or exposure. Only reports of illegal content are real.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from annotation import draws
from annotation.answers import Answers
from annotation.assignment_data import AssignmentData
from annotation.protocol import HARMLESSNESS_OVERALL, HELPFULNESS_OVERALL, SUB_DIMENSIONS, TIE
from annotation.unleased import assignment_data, playable
from answers.words import labels
from catalog.models import Pair
from diptych.durations import in_words
from studies.models import Study

#: Why there is no pair: the person has seen all of them, or no pair of the study can be played yet.
FINISHED, EMPTY = TRIAL_REASONS = ("trial_finished", "trial_empty")


@dataclass(frozen=True, slots=True)
class TrialPairs:
    """The current pair and the next one, or the reason why there is none."""

    current: AssignmentData | None
    next: AssignmentData | None
    reason: str | None


def trial_pairs(study: Study, person: User, *, start: int = 0, after: int = 0) -> TrialPairs:
    """Return the first two pairs in the order in which they were imported.

    Args:
        start: the key of the pair to begin with. It may be held.
        after: the key of the pair that was just finished. Only later pairs are returned.
    """
    in_order = playable(study).filter(held="", pk__gt=after, pk__gte=start).order_by("pk")
    pairs = list(in_order[:2])
    if start and (not pairs or pairs[0].pk != start):
        pairs = [*playable(study).filter(pk=start), *pairs][:2]
    found = [assignment_data(pair, study, person) for pair in pairs]
    if not found:
        return TrialPairs(None, None, FINISHED if start or after else EMPTY)
    return TrialPairs(found[0], found[1] if len(found) > 1 else None, None)


def second_look_due(study: Study, person: User, pair: Pair, answers: Answers) -> bool:
    """Return whether an annotator would be asked to look at these answers once more."""
    return study.second_look and (answers.contradictory or draws.second_look(study, person.pk, pair.pk))


def would_record(
    study: Study, person: User, pair: Pair, answers: Answers, body: dict[str, Any]
) -> list[dict[str, str]]:
    """Return what would be recorded of these answers, as lines of a name and a value in the person's language."""
    left = draws.left(study, person.pk, pair.pk)

    def chosen(choice: str) -> str:
        if choice == TIE:
            return _("tie")
        side = _("left") if choice == left else _("right")
        return _("video %(number)s (%(side)s)") % {"number": choice.removeprefix("video_"), "side": side}

    questions = (*SUB_DIMENSIONS, HELPFULNESS_OVERALL, HARMLESSNESS_OVERALL)
    lines = [(str(question.text), chosen(getattr(answers, question.key))) for question in questions]
    none = _("none of these")
    lines += [
        (_("Tags of video 0"), " · ".join(labels(answers.tags_video_0)) or none),
        (_("Tags of video 1"), " · ".join(labels(answers.tags_video_1)) or none),
        *([(_("Comment"), answers.comment)] if answers.comment else []),
        *([(_("Unsure"), _("yes"))] if answers.unsure else []),
        (_("Standing"), _("invalid: it contradicts itself") if answers.contradictory else _("valid")),
        (_("Active time"), in_words(body["timings_ms"].get("total_active", 0) / 1000)),
        (_("Versions"), _version_words(study)),
    ]
    return [{"name": name, "value": value} for name, value in lines]


def _version_words(study: Study) -> str:
    versions = {"protocol": study.protocol_version, "guideline": study.guideline_version}
    return _("protocol %(protocol)s, guideline %(guideline)s") % versions
