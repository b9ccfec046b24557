"""Every state of Controls, Calibration, Suspensions and Pauses, in English and Chinese: `make screenshots`."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from calibration import preparing
from calibration.models import CalibrationSession
from controls import making, withdrawing
from controls.models import Control, ControlsRun
from media.transcode import Renditions
from suspensions import pausing, suspending
from suspensions.pausing import Limit
from suspensions.suspending import Choice
from suspensions.tasks import judge_people
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken
from tests.browser.states_figures import crowd
from tests.controls.made import agreed, control_of, results
from tests.qc.many_answers import give
from tests.qc.reviewed import answered, in_review

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots

WHY = {"en": "The trio was wrong: both videos show the same fall.", "zh": "三人都看错了：两个视频中的跌落是一样的。"}
TOPIC = {"en": "Falling objects", "zh": "物体坠落"}
RANDOM = {"en": "The answers look like random clicks.", "zh": "答案看起来像是随机点击。"}


# --- Controls --------------------------------------------------------------------------------------------------


def made(stage: Stage) -> list[Any]:
    """Make consensus repeats with results of three people, and withdraw one control. Return the people."""
    people = crowd(stage)
    agreed(stage.study, people, 5)
    making.make(stage.study, "consensus_repeat", 3, actor=stage.person)
    there = list(Control.objects.filter(study=stage.study).order_by("pk"))
    for person, right in zip(people, ([True] * 46 + [False] * 8, [True] * 12 + [False] * 12, [True] * 9), strict=True):
        results(there[0], person, right)
    results(there[1], people[0], [False] * 2)
    withdrawing.withdraw(there[1], because=WHY[stage.language], actor=stage.person)
    stage.study.control_rate = 0.03
    stage.study.save(update_fields=["control_rate"])
    return people


@scene
def controls_none(stage: Stage) -> Any:
    return stage.page("controls/")


@scene
def controls(stage: Stage) -> Any:
    made(stage)
    return stage.page("controls/")


@scene
def controls_possible(stage: Stage) -> Any:
    made(stage)
    return stage.page("controls/?preview=consensus_repeat")


@scene
def controls_underway(stage: Stage) -> Any:
    made(stage)
    ControlsRun.objects.create(study=stage.study, kind="reencoded", steps_total=40, asked_by=stage.person)
    return stage.page("controls/")


@scene
def controls_failed(stage: Stage) -> Any:
    made(stage)
    facts = {"kind": "reencoded", "steps_total": 40, "made": 12, "steps": 12, "finished_at": timezone.now()}
    about = {"state": "failed", "reason": making.TROUBLE, "asked_by": stage.person}
    ControlsRun.objects.create(study=stage.study, **facts | about)
    return stage.page("controls/")


@scene
def controls_wrong_filter(stage: Stage) -> Any:
    made(stage)
    return stage.page("controls/?state=odd")


@scene
def control_people_none(stage: Stage) -> Any:
    return stage.page("controls/people/")


@scene
def control_people(stage: Stage) -> Any:
    made(stage)
    return stage.page("controls/people/")


@scene
def control_results(stage: Stage) -> Any:
    made(stage)
    return stage.page("controls/results/")


# --- Calibration -----------------------------------------------------------------------------------------------


def session(stage: Stage) -> CalibrationSession:
    return preparing.make(stage.study, TOPIC[stage.language], actor=stage.person)


def closed(stage: Stage) -> CalibrationSession:
    """Return a closed session of one pair that three people judged."""
    there = session(stage)
    judges = [factories.reviewer(stage.study, username=f"reviewer-{number:02}") for number in range(1, 4)]
    factories.closed_calibration(there, *judges)
    there.refresh_from_db()
    return there


@scene
def calibrations_none(stage: Stage) -> Any:
    return stage.page("calibrations/")


@scene
def calibrations(stage: Stage) -> Any:
    closed(stage)
    session(stage)
    return stage.page("calibrations/")


@scene
def calibration_draft(stage: Stage) -> Any:
    there = session(stage)
    pairs = factories.pairs(stage.study, 3)
    preparing.add(there, pairs=[pair.public_id for pair in pairs], actor=stage.person)
    return stage.page(f"calibrations/{there.number}/")


@scene
def calibration_open(stage: Stage) -> Any:
    there = session(stage)
    pairs = factories.pairs(stage.study, 3)
    preparing.add(there, pairs=[pair.public_id for pair in pairs], actor=stage.person)
    preparing.open_session(there, actor=stage.person)
    return stage.page(f"calibrations/{there.number}/")


@scene
def calibration_closed(stage: Stage) -> Any:
    return stage.page(f"calibrations/{closed(stage).number}/")


# --- Suspensions -----------------------------------------------------------------------------------------------


def working(stage: Stage) -> list[Any]:
    """Let two people answer a batch in review and another one. Return them."""
    people = crowd(stage, 2)
    answered(stage.study, *people, pairs=12)
    in_review(stage.study, stage.person)
    answered(stage.study, *people, pairs=6, batch=2)
    return people


def suspended(stage: Stage) -> Any:
    people = working(stage)
    return suspending.suspend(people[0], stage.study, Choice("all"), why=RANDOM[stage.language], actor=stage.person)


@scene
def suspensions_none(stage: Stage) -> Any:
    return stage.page("suspensions/")


@scene
def suspensions(stage: Stage) -> Any:
    there = suspended(stage)
    suspending.lift(there, why=WHY[stage.language], restore=True, actor=stage.person)
    other = factories.member(stage.study, "annotator", username="annotator-03")
    suspending.suspend(other, stage.study, Choice(), why=RANDOM[stage.language], actor=stage.person)
    return stage.page("suspensions/")


@scene
def suspend(stage: Stage) -> Any:
    person = working(stage)[0]
    return stage.page(f"suspensions/new/{person.pk}/?what=all")


@scene
def suspend_wrong(stage: Stage) -> Any:
    person = working(stage)[0]
    return stage.page(f"suspensions/new/{person.pk}/?what=since")


@scene
def suspension(stage: Stage) -> Any:
    return stage.page(f"suspensions/{suspended(stage).pk}/")


# --- Pauses ----------------------------------------------------------------------------------------------------


def paused(stage: Stage) -> list[Any]:
    """Pause two people, and withdraw the control on which the pause of the second one rested. Return them."""
    people = crowd(stage)
    limits = {"contradictions": Limit(Decimal("0.1")), "consensus_repeat": Limit(Decimal("0.83"))}
    pausing.set_rules(stage.study, limits, actor=stage.person)
    give(people[0], stage.study, 50, contradictory=14)
    give(people[2], stage.study, 50, contradictory=2)
    wrong, good = (control_of(stage.study, factories.pair(stage.study, held="elsewhere")) for _ in range(2))
    results(wrong, people[1], [False] * 20)
    results(good, people[1], [True] * 30)
    judge_people()
    withdrawing.withdraw(wrong, because=WHY[stage.language], actor=stage.person)
    judge_people()
    return people


@scene
def pauses_none(stage: Stage) -> Any:
    return stage.page("pauses/")


@scene
def pauses(stage: Stage) -> Any:
    paused(stage)
    return stage.page("pauses/")


@scene
def pauses_no_match(stage: Stage) -> Any:
    paused(stage)
    return stage.page("pauses/?person=1&beyond=yes")


@scene
def pause_rules(stage: Stage) -> Any:
    paused(stage)
    return stage.page("pauses/rules/")


@scene
def home_pause_ended(stage: Stage) -> Any:
    person = paused(stage)[1]
    return stage.open_page("/?all=1", person, **stage.options)


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
