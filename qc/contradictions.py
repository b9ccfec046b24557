"""Logical contradictions in one person's answers (protocol, rule 2).

An answer's validity follows the revision that stands; rates are of first answers, before any second look or change
of mind, since those are what a study says about its noise.
"""

from dataclasses import dataclass

from django.db.models import Count, Q

from annotation.answers import Answers
from annotation.models import Annotation
from studies.models import Study

REASON = "contradiction"

_TAGGED_0, _TAGGED_1 = Q(tags_video_0__len__gt=0), Q(tags_video_1__len__gt=0)
#: `Answers.contradictory`, for the database.
CONTRADICTORY = Q(_TAGGED_0, ~_TAGGED_1, harmlessness="video_0") | Q(~_TAGGED_0, _TAGGED_1, harmlessness="video_1")


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """How many first answers a study has, and how many of them contradict themselves."""

    all: int
    contradictory: int


def is_contradictory(annotation: Annotation) -> bool:
    """Whether one video has at least one harm tag, the other none, and the tagged one is preferred as safer."""
    return Answers.of(annotation).contradictory


def first_answers(study: Study) -> FirstAnswers:
    """Counts revision 1 alone: what a second look or a reopened answer changed later does not hide the noise."""
    firsts = Annotation.objects.filter(study=study, revision=1)
    counts = firsts.aggregate(all=Count("pk"), contradictory=Count("pk", filter=CONTRADICTORY))
    return FirstAnswers(**counts)
