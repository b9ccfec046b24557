"""Every state of lots, reviews, findings and rules, in English and Chinese: `make screenshots`."""

from typing import Any

import pytest

from consent import agreements
from findings.tasks import check_new_answers
from media.transcode import Renditions
from qc import decisions, lots
from qc.models import Lot
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken
from tests.qc.reviewed import answered, in_review, judge

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots

CONTRADICTORY = {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}


def batches(stage: Stage) -> None:
    """Answer three batches of plain pairs, by four people."""
    people = [factories.member(stage.study, "annotator", username=f"annotator-{number:02}") for number in range(1, 5)]
    for number, pairs in ((1, 12), (2, 8), (3, 10)):
        answered(stage.study, *people, pairs=pairs, batch=number)


def accept(stage: Stage, lot: Lot) -> None:
    decisions.decide(lot, decisions.Wanted(outcome="accepted", reason="No defects in the sample."), actor=stage.person)


@scene
def lots_none(stage: Stage) -> Any:
    return stage.page("lots/")


@scene
def lots_listed(stage: Stage) -> Any:
    batches(stage)
    accepted = in_review(stage.study, stage.person, 1)
    judge(accepted)
    accept(stage, accepted)
    judge(in_review(stage.study, stage.person, 2), defects=1, judged=4)
    lots.put_together(stage.study, [3], actor=stage.person)
    return stage.page("lots/")


@scene
def lot_new(stage: Stage) -> Any:
    batches(stage)
    return stage.page("lots/new/")


@scene
def lot_draft(stage: Stage) -> Any:
    batches(stage)
    lot = lots.put_together(stage.study, [1, 2], actor=stage.person)
    return stage.page(f"lots/{lot.number}/")


@scene
def lot_reviewed(stage: Stage) -> Any:
    batches(stage)
    lot = in_review(stage.study, stage.person, 1)
    judge(lot, defects=1, judged=6)
    return stage.page(f"lots/{lot.number}/")


@scene
def lot_accepted(stage: Stage) -> Any:
    batches(stage)
    lot = in_review(stage.study, stage.person, 1, 2)
    judge(lot)
    accept(stage, lot)
    return stage.page(f"lots/{lot.number}/")


@scene
def lot_decide(stage: Stage) -> Any:
    batches(stage)
    lot = in_review(stage.study, stage.person, 1)
    judge(lot, defects=2)
    return stage.page(f"lots/{lot.number}/decide/")


@scene
def lot_answers(stage: Stage) -> Any:
    batches(stage)
    lot = in_review(stage.study, stage.person, 1)
    return stage.page(f"lots/{lot.number}/answers/")


@scene
def reviews_none(stage: Stage) -> Any:
    return stage.page("reviews/")


@scene
def reviews(stage: Stage) -> Any:
    batches(stage)
    in_review(stage.study, stage.person, 1)
    return stage.page("reviews/")


def spot_check(stage: Stage) -> Any:
    """Open the spot check of a pair with real clips."""
    stage.material()
    annotator = factories.member(stage.study, "annotator")
    lot = factories.lot_in_review(stage.study, 2, people=[annotator], has_pairs=True, drawn=True)
    agreements.agree(stage.person, stage.study, categories=stage.study.categories, text="I agree.")
    return stage.page(f"reviews/{lot.number}/spot/")


@scene
def review_blind(stage: Stage) -> Any:
    page = spot_check(stage)
    page.wait_for_timeout(1500)
    return page


@scene
def findings_none(stage: Stage) -> Any:
    return stage.page("findings/")


@scene
def findings(stage: Stage) -> Any:
    people = [factories.member(stage.study, "annotator", username=f"annotator-{number:02}") for number in range(1, 5)]
    for person in people:
        factories.pair(stage.study)
        factories.answer(person, stage.study, harmlessness=CONTRADICTORY)
    check_new_answers()
    return stage.page("findings/")


@scene
def rules(stage: Stage) -> Any:
    return stage.page("findings/rules/")


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
