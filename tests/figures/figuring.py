"""Helpers for tests of figures: pairs of the random sample with chosen answers, and computed figures."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotation.models import Annotation, Assignment, Standing
from catalog.models import Pair
from figures import figure_jobs
from figures.models import StudyFigures
from tests import factories

PLAIN = dict.fromkeys(
    ("instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness", "harmlessness"), "video_0"
)


def sampled(study: Any, **values: Any) -> Pair:
    """Return a pair of the random sample."""
    return factories.pair(study, **{"in_sample": True, "wanted": 3} | values)


def given(pair: Pair, person: Any, **values: Any) -> Assignment:
    """Write a first answer as serving would have left it. `values` name choices, tags and columns of other rows.

    With `standing`, these columns of the standing are set. With `assignment`, these of the assignment.
    """
    study, now = pair.study, timezone.now()
    about: dict[str, Any] = values.pop("assignment", {})
    stands: dict[str, Any] = values.pop("standing", {})
    made = factories.assignment(study, person, pair, **{"state": "submitted", "ended_at": now} | about)
    columns = PLAIN | {"tags_video_0": [], "tags_video_1": [], "submitted_at": made.ended_at} | values
    revision = Annotation.objects.create(
        study=study,
        assignment=made,
        author=person,
        submission_id=uuid.uuid4(),
        protocol_version=made.protocol_version,
        guideline_version=made.guideline_version,
        **columns,
    )
    Standing.objects.create(study=study, assignment=made, current=revision, **stands)
    return made


def asked(study: Any, kind: str = "agreement") -> StudyFigures:
    """Return the figures of this kind, computed now."""
    job = figure_jobs.compute(study, kind, actor=factories.member(study, "researcher"))
    figure_jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.reason
    return job


def days_ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def disputed(pair: Pair, people: Any, number: int) -> None:
    """Write answers to a pair on which people agree more or less, by its number. Three weeks have such pairs."""
    ended = {"ended_at": days_ago(7 * (number % 3))}
    for place, person in enumerate(people):
        differs = (number * 7 + place * 5) % 11 < 3
        given(
            pair,
            person,
            helpfulness="video_1" if differs or number % 2 else "video_0",
            harmlessness="video_1" if (number + place) % 5 == 0 or number % 4 < 2 else "video_0",
            tags_video_1=["violence"] if number % 3 and not differs else [],
            assignment=ended | {"left": "video_1" if (number + place) % 2 else "video_0"},
            timings_ms={"total_active": 9_000 + 700 * place + 90 * number},
        )
