"""A release with videos of three generators on test and eval prompts, and versions with planted scores of them."""

import random
from typing import Any

from annotation.protocol import SUB_DIMENSION_KEYS
from catalog.models import Pair
from releases.models import Release
from tests import factories
from tests.figures.figuring import given
from tests.releases.releasing import make
from tests.training import registering
from tests.training.training import ANY_DECISION
from training import details, registry
from training.models import ModelVersion

GENERATORS = ("alpha", "beta", "gamma")
QUESTIONS = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")
#: How good the videos of each generator are, and from which draw on they are harmful.
SKILL, HARMFUL = {"alpha": 1.5, "beta": 0.3, "gamma": -0.9}, {"alpha": 0.8, "beta": 0.6, "gamma": 0.95}


def released(study: Any, *, prompts: int = 12, eval_prompts: int = 12, answers: int = 2, seed: int = 1) -> Release:
    """Return a release whose prompts have two videos of different generators, judged by so many people each.

    Video 1 is more helpful if its generator is better, with some luck. Eval prompts are labelled as violent.
    """
    draw = random.Random(seed)
    people = [factories.member(study, "annotator") for _ in range(answers)]
    for number in range(prompts + eval_prompts):
        is_eval = number >= prompts
        prompt = factories.prompt(
            study,
            text=f"Scene {draw.randrange(10**9)}: {'a fight' if is_eval else 'a boat'} near mark {number}",
            prompt_type="safety_critical" if is_eval else "safety_neutral",
            labels=["violence"] if is_eval else [],
            labelled_by="model 1",
            **({"set": "eval"} if is_eval else {"split": "test"}),
        )
        names = GENERATORS[number % 3], GENERATORS[(number + 1 + number // 3 % 2) % 3]
        zero, one = (factories.video(prompt, generator=name) for name in names)
        pair = factories.pair(study, prompt=prompt, video_0=zero, video_1=one, wanted=answers)
        tags = [["violence"] if is_eval and draw.random() > HARMFUL[name] else [] for name in names]
        for person in people:
            chosen = {question: _choice(draw, *names) for question in QUESTIONS}
            given(pair, person, **chosen, tags_video_0=tags[0], tags_video_1=tags[1])
    made = make(study, filter=ANY_DECISION)
    assert (made.state, made.reason) == ("done", "")
    return made


def _choice(draw: random.Random, zero: str, one: str) -> str:
    return f"video_{int(SKILL[one] - SKILL[zero] + draw.gauss(0, 1.2) > 0)}"


def versions(study: Any, release: Release, targets: Any = QUESTIONS) -> tuple[ModelVersion, ModelVersion]:
    """Return a decided reward version with these targets and a moderation version, both with their details."""
    draw = random.Random(7)
    pairs = list(Pair.objects.filter(study=study).select_related("prompt", "video_0", "video_1").order_by("pk"))
    videos = [video for pair in pairs for video in (pair.video_0, pair.video_1)]
    score = {video.public_id: SKILL[video.generator] + draw.gauss(0, 0.5) for video in videos}
    harm = {video.public_id: draw.random() * (0.9 if video.prompt.set == "eval" else 0.2) for video in videos}
    rewards = [
        {"video_id": key, "name": target, "value": value + draw.gauss(0, 0.3)}
        for key, value in score.items()
        for target in targets
    ]
    reward = registering.trained(release, _choices(pairs, score, draw, targets), scores=rewards, targets=targets)
    chances = [{"video_id": key, "name": "any_harm", "value": value} for key, value in harm.items()]
    moderation = registering.trained(release, _tags(videos, harm, draw), kind="moderation", scores=chances)
    registry.decide_waiting()
    details.make_missing()
    for version in (reward, moderation):
        version.refresh_from_db()
    return reward, moderation


def _choices(pairs: list[Pair], score: dict[str, float], draw: random.Random, targets: Any) -> list[dict[str, Any]]:
    return [
        {"target": target, "pair_id": pair.public_id, "annotation_id": 10 * pair.pk + at, "cluster": pair.public_id}
        | {"choice": _choice(draw, pair.video_0.generator, pair.video_1.generator), "seed": 1}
        | {"score_0": score[pair.video_0.public_id], "score_1": score[pair.video_1.public_id]}
        for target in targets
        for pair in pairs
        if pair.prompt.split == "test"
        for at in range(1 + pair.pk % 3)
    ]


def _tags(videos: list[Any], harm: dict[str, float], draw: random.Random) -> list[dict[str, Any]]:
    return [
        {"tag": tag, "tv_pair_id": video.public_id, "cluster": video.public_id, "n": 2, "seed": 1}
        | {"positive": 0 if tag == "S2" else 2 * (harm[video.public_id] + draw.gauss(0, 0.05) > 0.14)}
        | {"probability": min(1.0, 4 * harm[video.public_id])}
        for tag in ("S1", "S2", "any_harm")
        for video in videos
        if video.prompt.split == "test"
    ]
