"""Every state of *Qualification*, and of what annotators read about their answers: `make screenshots`."""

from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Assignment
from catalog.models import Pair
from media.transcode import Renditions
from qc.models import FrameItem, Reply
from qualification import sets
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken
from tests.qc.reviewed import in_review, spot_checked
from tests.qualification.world import asks_for_qualification, draft, go_through

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots

COMMENT = {
    "en": "Look at the left hand again: it passes through the cup.",
    "zh": "请再看一下左手：它从杯子中穿了过去。",
}
REPLY = {"en": "The hand is behind the cup.", "zh": "手是在杯子后面。"}
CLOSING = {
    "en": "It is in front of it from the second second on.",
    "zh": "从第二秒开始，手在杯子前面。",
}


def annotator(stage: Stage) -> Any:
    return factories.member(stage.study, "annotator", username="annotator-7")


def own_page(stage: Stage, person: Any, path: str) -> Any:
    return stage.open_page(f"/studies/{stage.study.slug}/{path}", person, **stage.options)


# --- Qualification ----------------------------------------------------------------------------------------------


@scene
def qualification_failed(stage: Stage) -> Any:
    asks_for_qualification(stage.study, stage.person)
    person = annotator(stage)
    go_through(person, stage.study, "training")
    go_through(person, stage.study, "test", wrong=4)
    return own_page(stage, person, "qualification/")


@scene
def qualification_none(stage: Stage) -> Any:
    return stage.page("qualification/sets/")


@scene
def qualification_sets(stage: Stage) -> Any:
    asks_for_qualification(stage.study, stage.person)
    sets.make_draft(stage.study, "test", actor=stage.person)
    return stage.page("qualification/sets/")


@scene
def qualification_publish(stage: Stage) -> Any:
    _training, test = asks_for_qualification(stage.study, stage.person)
    person = annotator(stage)
    go_through(person, stage.study, "training")
    go_through(person, stage.study, "test")
    assert test.number == 1
    draft(stage.study, "test", factories.pairs(stage.study, 5), stage.person)
    return stage.page("qualification/sets/test/2/")


@scene
def qualification_draft_empty(stage: Stage) -> Any:
    sets.make_draft(stage.study, "training", actor=stage.person)
    return stage.page("qualification/sets/training/1/")


# --- What annotators read about their answers -------------------------------------------------------------------


def commented(stage: Stage) -> tuple[Any, FrameItem]:
    """Let a person answer two pairs of a lot, and confirm a defect in the first. Return the person and the answer."""
    stage.study.share_feedback = True
    stage.study.save()
    person = annotator(stage)
    made = stage.material()[:2]
    Pair.objects.exclude(pk__in=[pair.pk for pair in made]).delete()
    for _pair in made:
        factories.answer(person, stage.study)
    lot = in_review(stage.study, stage.person, 1)
    item = FrameItem.objects.filter(lot=lot).order_by("assignment").first()
    assert item is not None
    review = spot_checked(item, "defect")
    review.verdicts.update(comment=COMMENT[stage.language])
    Assignment.objects.filter(person=person, state="leased").delete()
    return person, item


@scene
def answer_with_comment(stage: Stage) -> Any:
    person, _item = commented(stage)
    return own_page(stage, person, "my-work/")


@scene
def answer_with_reply(stage: Stage) -> Any:
    person, item = commented(stage)
    Reply.objects.create(
        study=stage.study,
        item=item,
        text=REPLY[stage.language],
        closing=CLOSING[stage.language],
        closed_by=stage.person,
        closed_at=timezone.now(),
    )
    return own_page(stage, person, "my-work/")


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
