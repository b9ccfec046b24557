"""Every state of releases, in English and Chinese: `make screenshots`."""

from typing import Any

import pytest

from accounts.models import Profile
from annotation.models import Annotation
from catalog.models import Label, Pair, Prompt
from media.transcode import Renditions
from releases.filters import Filter
from releases.models import Release
from releases.withdrawing import subject, withdraw
from safety import quarantine
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken
from tests.figures.figuring import given
from tests.release_card.carded import answered_study
from tests.releases import material
from tests.releases.releasing import accepted, answered, ask, make

__all__ = ["gallery"]
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
def release_with_videos(stage: Stage) -> Any:
    pair = material.answered(stage.study, 3, split="train")[0]
    formats = ["jsonl", "frames", "videos", "single_videos", "huggingface", "croissant"]
    made = make(stage.study, by=stage.person, filter=ALL, formats=formats)
    quarantine.report(pair, ["video_0"], by=stage.person)
    return stage.page(f"releases/{made.number}/")


@scene
def release_records(stage: Stage) -> Any:
    answered_material(stage)
    made = make(stage.study, by=stage.person, filter=ALL)
    return stage.page(f"releases/{made.number}/records/")


@scene
def release_record(stage: Stage) -> Any:
    pair = answered_material(stage)[0]
    said = ((pair.video_0, "violence", 0.25), (pair, "helpfulness", "video_1"), (pair, "harmlessness", None))
    for about, question, value in said:
        name = type(about).__name__.lower()
        facts = {"question": question, "labeller": "judge-y", "setting": "8 frames", "value": value}
        Label.objects.create(study=stage.study, **{name: about}, refused=value is None, **facts)
    made = make(stage.study, by=stage.person, filter=ALL)
    return stage.page(f"releases/{made.number}/records/{pair.public_id}/")


def answered_material(stage: Stage) -> list[Pair]:
    """Return pairs with videos that two people answered."""
    people = [factories.member(stage.study, "annotator", username=f"annotator-{number:02}") for number in (1, 2)]
    pairs = stage.material()[:4]
    for pair in pairs:
        for person, choice in zip(people, ("video_0", "video_1"), strict=True):
            given(pair, person, standing={"counted": True}, helpfulness=choice, tags_video_1=["crime"])
    return pairs


@scene
def releases_compared(stage: Stage) -> Any:
    made = answers(stage)
    first = make(stage.study, by=stage.person)
    Prompt.objects.filter(pk=made[0].pair.prompt_id).update(cluster="another")
    later = make(stage.study, by=stage.person, filter=ALL, parent=first.number)
    return stage.page(f"releases/{later.number}/compare/?show=changed")


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
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
