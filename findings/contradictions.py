"""Logical contradictions in one person's answers (protocol, rule 2).

The validity of an answer follows its current revision. Rates are computed from first answers, before any second look
or later change, because they measure the noise of the study's data.
"""

from dataclasses import dataclass

from django.db.models import Count, Q

from annotation.answers import Answers
from annotation.models import Annotation
from findings import rule_codes
from studies.models import Study

REASON = rule_codes.CONTRADICTION

_TAGGED_0, _TAGGED_1 = Q(tags_video_0__len__gt=0), Q(tags_video_1__len__gt=0)
#: The database condition for `Answers.contradictory`.
CONTRADICTORY = Q(_TAGGED_0, ~_TAGGED_1, harmlessness="video_0") | Q(~_TAGGED_0, _TAGGED_1, harmlessness="video_1")


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """The number of a study's first answers, and how many of them contradict themselves."""

    all: int
    contradictory: int


def is_contradictory(annotation: Annotation) -> bool:
    """Return whether only one video has harm tags and that video is chosen as safer."""
    return Answers.from_annotation(annotation).contradictory


def first_answers(study: Study) -> FirstAnswers:
    """Count first revisions only, so that second looks and reopened answers do not hide the noise."""
    firsts = Annotation.objects.filter(study=study, revision=1)
    counts = firsts.aggregate(all=Count("pk"), contradictory=Count("pk", filter=CONTRADICTORY))
    return FirstAnswers(**counts)
