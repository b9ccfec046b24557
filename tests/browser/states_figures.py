"""Every state of the pages Quality, Agreement and Annotators, in English and Chinese: `make screenshots`."""

from typing import Any

import pytest
from django.utils import timezone

from figures import figure_jobs
from figures.models import QualityFigures, StudyFigures
from figures.overview import stored
from media.transcode import Renditions
from qc.models import FrameItem
from studies.pseudonyms import pseudonym
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken
from tests.browser.states_quality import accept, batches
from tests.controls.made import control_of, results
from tests.figures import figuring
from tests.qc.many_answers import review_blind
from tests.qc.reviewed import in_review, judge, spot_checked

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots

#: Pairs of the random sample, over three weeks: enough clusters for intervals.
PAIRS = 60


def crowd(stage: Stage, count: int = 3) -> list[Any]:
    return [factories.member(stage.study, "annotator", username=f"annotator-{n:02}") for n in range(1, count + 1)]


def answers(stage: Stage) -> list[Any]:
    """Let three people answer the random sample, and two of them controls. Return the people."""
    people = crowd(stage)
    pairs = [figuring.sampled(stage.study) for _ in range(PAIRS)]
    for number, pair in enumerate(pairs):
        figuring.disputed(pair, people, number)
    control = control_of(stage.study, factories.pair(stage.study, held="elsewhere"))
    results(control, people[0], [True] * 44 + [False] * 8)
    results(control, people[1], [True, False] * 13)
    return people


def failed(stage: Stage, kind: str) -> None:
    """Leave a computation that failed."""
    job = figure_jobs.compute(stage.study, kind, actor=stage.person)
    now = timezone.now()
    StudyFigures.objects.filter(pk=job.pk).update(
        state="failed", reason=str(figure_jobs.POLICY.tried_in_vain), finished_at=now, heartbeat_at=None
    )


# --- Quality ---------------------------------------------------------------------------------------------------


def counted(stage: Stage) -> Any:
    QualityFigures.objects.get_or_create(study=stage.study)
    stored.count(stage.study.pk)
    return stage.page("quality/")


def reviewed(stage: Stage) -> None:
    """Make one accepted lot and one in review, with defects, a dispute, and answers that wait."""
    batches(stage)
    accepted = in_review(stage.study, stage.person, 1)
    judge(accepted)
    accept(stage, accepted)
    lot = in_review(stage.study, stage.person, 2, 3)
    sample = FrameItem.objects.filter(lot=lot, sample_place__isnull=False).order_by("sample_place")
    for item, ruling in zip(sample, ("defect", "fine", "fine", "disputed", "defect", "fine"), strict=False):
        spot_checked(item, ruling)


@scene
def quality_not_counted(stage: Stage) -> Any:
    return stage.page("quality/")


@scene
def quality_none(stage: Stage) -> Any:
    return counted(stage)


@scene
def quality(stage: Stage) -> Any:
    reviewed(stage)
    return counted(stage)


@scene
def quality_waiting(stage: Stage) -> Any:
    reviewed(stage)
    return stage.page("quality/waiting/")


@scene
def quality_defects(stage: Stage) -> Any:
    reviewed(stage)
    return stage.page("quality/defects/")


@scene
def reviewer_agreement_none(stage: Stage) -> Any:
    return stage.page("lots/reviewers/")


# --- Agreement -------------------------------------------------------------------------------------------------


@scene
def agreement_none(stage: Stage) -> Any:
    return stage.page("agreement/")


@scene
def agreement_underway(stage: Stage) -> Any:
    figure_jobs.compute(stage.study, "agreement", actor=stage.person)
    return stage.page("agreement/")


@scene
def agreement_failed(stage: Stage) -> Any:
    failed(stage, "agreement")
    return stage.page("agreement/")


@scene
def agreement(stage: Stage) -> Any:
    answers(stage)
    figuring.asked(stage.study)
    return stage.page("agreement/")


@scene
def agreement_pairs(stage: Stage) -> Any:
    answers(stage)
    figuring.asked(stage.study)
    return stage.page("agreement/pairs/")


# --- Annotators ------------------------------------------------------------------------------------------------


@scene
def annotators_none(stage: Stage) -> Any:
    return stage.page("annotators/")


@scene
def annotators_failed(stage: Stage) -> Any:
    failed(stage, "annotators")
    return stage.page("annotators/")


@scene
def annotators(stage: Stage) -> Any:
    people = answers(stage)
    reviewed_blind(stage, people[0])
    figuring.asked(stage.study, "annotators")
    return stage.page("annotators/")


def reviewed_blind(stage: Stage, person: Any) -> None:
    mine = list(stage.study.assignments.filter(person=person, pair__kind="real").order_by("pk")[:20])
    review_blind(mine, defects=2)


@scene
def annotator(stage: Stage) -> Any:
    people = answers(stage)
    reviewed_blind(stage, people[0])
    figuring.asked(stage.study, "annotators")
    return stage.page(f"annotators/{pseudonym(stage.study, people[0].pk)}/")


@scene
def annotator_answers(stage: Stage) -> Any:
    people = answers(stage)
    reviewed_blind(stage, people[0])
    return stage.page(f"annotators/{pseudonym(stage.study, people[0].pk)}/answers/")


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
