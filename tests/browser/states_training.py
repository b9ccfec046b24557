"""Every state of *Training* and *Models*, in English and Chinese: `make screenshots`."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media.transcode import Renditions
from releases.models import Release
from tests.browser.stage import Stage, gallery, picture, scene, taken
from tests.training import comparing, registering, runs
from tests.training.training import released
from training.models import Worker

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots

REWARD = registering.clusters()


def release_of(stage: Stage) -> Release:
    return released(stage.study, pairs=3)


def only(page: Any, *headings: str) -> Any:
    """Return the page without all other sections: pictures of long pages are cut."""
    names = list(headings)
    page.evaluate(
        "names => document.querySelectorAll('.release > section')"
        ".forEach(one => names.includes(one.getAttribute('aria-labelledby')) || one.remove())",
        names,
    )
    return page


@scene
def training_none(stage: Stage) -> Any:
    return stage.page("training/")


@scene
def training_new(stage: Stage) -> Any:
    release_of(stage)
    return stage.page("training/new/")


@scene
def training_listed(stage: Stage) -> Any:
    release = release_of(stage)
    runs.done(release, stage.person)
    runs.failed(release, stage.person)
    runs.run_of(release, stage.person, seed=3)
    return stage.page("training/")


@scene
def training_running(stage: Stage) -> Any:
    began = {"stage_at": timezone.now() - timedelta(minutes=4), "log": "Embedding videos: 120 of 120\nStep 40 of 100\n"}
    run = runs.run_of(release_of(stage), stage.person, **began)
    noise = (step * 37 % 11 / 200 for step in range(1, 41))
    loss = (0.69 - step / 300 + more for step, more in enumerate(noise, start=1))
    run.points.bulk_create(run.points.model(run=run, step=step, loss=one) for step, one in enumerate(loss, start=1))
    for step, one in ((10, 0.67), (20, 0.655), (30, 0.648), (40, 0.647)):
        run.points.create(step=step, loss=one, part="validation")
    return stage.page(f"training/{run.pk}/")


@scene
def training_failed(stage: Stage) -> Any:
    return stage.page(f"training/{runs.failed(release_of(stage), stage.person).pk}/")


@scene
def training_done(stage: Stage) -> Any:
    run = runs.done(release_of(stage), stage.person, "metrics.json", "model/model.safetensors")
    return stage.page(f"training/{run.pk}/")


@scene
def training_rules(stage: Stage) -> Any:
    runs.rule_of(stage.study, stage.person)
    return stage.page("training/rules/")


@scene
def training_rule(stage: Stage) -> Any:
    return stage.page(f"training/rules/{runs.rule_of(stage.study, stage.person).pk}/")


@scene
def models_none(stage: Stage) -> Any:
    return stage.page("models/")


@scene
def models(stage: Stage) -> Any:
    release = release_of(stage)
    registering.decided(release, registering.reward_rows(0.7, REWARD))
    registering.decided(release, registering.tag_rows(REWARD), kind="moderation")
    return stage.page("models/")


@scene
def model_family(stage: Stage) -> Any:
    release = release_of(stage)
    for seed, right in enumerate((0.7, 0.8, 0.6), start=1):
        made = registering.trained(release, registering.reward_rows(right, REWARD), seed=seed)
        registering.registry.decide_waiting()
    Worker.objects.update(seen_at=timezone.now())
    return stage.page(f"models/{made.family_id}/")


@scene
def model_version(stage: Stage) -> Any:
    made = registering.promoted(release_of(stage), stage.person, number=2)
    return stage.page(f"models/{made.family_id}/2/")


@scene
def model_version_of_tags(stage: Stage) -> Any:
    made = registering.decided(release_of(stage), registering.tag_rows(REWARD), kind="moderation")
    return stage.page(f"models/{made.family_id}/{made.number}/")


@scene
def model_version_details(stage: Stage) -> Any:
    release = comparing.released(stage.study, prompts=30, eval_prompts=0)
    _reward, made = comparing.versions(stage.study, release, ["helpfulness"])
    page = stage.page(f"models/{made.family_id}/{made.number}/?tag=S1")
    return only(page, "precision", "confusion", "disagreements")


@scene
def model_version_disagreements(stage: Stage) -> Any:
    release = comparing.released(stage.study, prompts=12, eval_prompts=0)
    made, _moderation = comparing.versions(stage.study, release, ["helpfulness", "instruction_following"])
    page = stage.page(f"models/{made.family_id}/{made.number}/")
    return only(page, "disagreements")


@scene
def generators_none(stage: Stage) -> Any:
    return stage.page("models/generators/")


@scene
def generators(stage: Stage) -> Any:
    comparing.versions(stage.study, comparing.released(stage.study, prompts=30, eval_prompts=30))
    return stage.page("models/generators/")


@scene
def generators_harm(stage: Stage) -> Any:
    comparing.versions(stage.study, comparing.released(stage.study, prompts=12, eval_prompts=60))
    return only(stage.page("models/generators/?category=violence"), "wins", "harm")


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
