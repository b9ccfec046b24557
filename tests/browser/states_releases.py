"""Every state of releases, in English and Chinese: `make screenshots`."""

from typing import Any

import pytest

from accounts.models import Profile
from annotation.models import Annotation
from catalog.models import Pair
from releases.filters import Filter
from releases.models import Release
from releases.withdrawing import subject, withdraw
from tests import factories
from tests.browser.stage import Stage, picture, scene, taken
from tests.releases.carded import answered_study
from tests.releases.releasing import accepted, answered, ask, make

pytestmark = pytest.mark.screenshots

ALL = Filter(decisions=("accepted", "none"))
CHOSEN = "decisions=accepted&reviewed=any&formats=jsonl&prompt_types=safety_neutral&parent="


def answers(stage: Stage) -> list[Any]:
    """Return the answers of three people, some in an accepted lot, some not, on held pairs, or contradictory."""
    people = [factories.member(stage.study, "annotator", username=f"annotator-{number:02}") for number in (1, 2, 3)]
    prompt = factories.prompt(stage.study, split="train")
    made = answered(stage.study, *people, pairs=4, prompt=prompt)
    made += answered(stage.study, people[0], pairs=3, prompt=factories.prompt(stage.study, split="test"))
    accepted(*made)
    contradictory = {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}
    answered(stage.study, people[1], pairs=2, said={"harmlessness": contradictory})
    [held] = answered(stage.study, people[2])
    Pair.objects.filter(pk=held.pair_id).update(held="The first video has no sound.")
    return made


@scene
def releases_none(stage: Stage) -> Any:
    return stage.page("releases/")


@scene
def releases_listed(stage: Stage) -> Any:
    answers(stage)
    first = make(stage.study, by=stage.person)
    make(stage.study, by=stage.person, parent=first.number)
    Release.objects.filter(pk=ask(stage.study, by=stage.person).pk).update(stage="pairs.jsonl", steps=1, steps_total=15)
    return stage.page("releases/")


@scene
def release_new(stage: Stage) -> Any:
    answers(stage)
    return stage.page("releases/new/")


@scene
def release_preview(stage: Stage) -> Any:
    answers(stage)
    return stage.page(f"releases/new/?{CHOSEN}")


@scene
def release_empty(stage: Stage) -> Any:
    answered(stage.study)
    return stage.page(f"releases/new/?{CHOSEN}")


@scene
def release_complete(stage: Stage) -> Any:
    answers(stage)
    first = make(stage.study, by=stage.person)
    made = make(stage.study, by=stage.person, parent=first.number, filter=ALL, with_invalid=True, terms="Cite us.")
    return stage.page(f"releases/{made.number}/")


def with_figures(stage: Stage) -> Release:
    """Return a release of a study with three generators, harm, ties, and enough clusters for intervals."""
    stage.study.allow_ties = True
    stage.study.save()
    people = answered_study(stage.study, prompts=60, people=8)
    for number, person in enumerate(people):
        Profile.objects.create(user=person, country="CH", year_of_birth=1985 + number % 2 * 10)
    return make(stage.study, by=stage.person, filter=ALL, terms="Cite us.", licence_reason="The authors agreed.")


@scene
def release_card(stage: Stage) -> Any:
    return stage.page(f"releases/{with_figures(stage).number}/card/")


@scene
def release_figures(stage: Stage) -> Any:
    return stage.page(f"releases/{with_figures(stage).number}/figures/")


@scene
def release_figures_of_few(stage: Stage) -> Any:
    accepted(*answered(stage.study))
    return stage.page(f"releases/{make(stage.study, by=stage.person).number}/figures/")


@scene
def release_withdrawn(stage: Stage) -> Any:
    answers(stage)
    made = make(stage.study, by=stage.person)
    key = str(Annotation.objects.filter(study=stage.study).order_by("pk")[0].pk)
    withdraw(stage.study, subject(stage.study, "answer", key), reason="The person asked for it.", actor=stage.person)
    return stage.page(f"releases/{made.number}/")


@scene
def release_withdrawing(stage: Stage) -> Any:
    answers(stage)
    make(stage.study, by=stage.person)
    key = Annotation.objects.filter(study=stage.study).order_by("pk")[0].pk
    return stage.page(f"releases/withdraw/?kind=answer&key={key}")


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any) -> None:
    picture(name, view, language, open_page, {})
