"""A study with answers, generators, lots and people, and the card of a release of it, for tests."""

import json
from typing import Any

from catalog.models import Label
from releases.filters import Filter
from tests import factories
from tests.figures.figuring import given
from tests.releases.releasing import accepted, make, stored

ALL = Filter(decisions=("accepted", "none"))
GENERATORS = ("gen-a", "gen-b", "gen-c")


def answered_study(study: Any, prompts: int = 6, people: int = 3) -> list[Any]:
    """Let three annotators in turn answer each pair of the random sample. Return all. The first answers are in a lot.

    Videos are of three generators in turn, and a program chose the first one of each pair. Every second prompt is
    safety-critical and labelled.
    """
    found = [factories.member(study, "annotator") for _ in range(people)]
    made = []
    for number in range(prompts):
        critical = number % 2 == 0
        prompt = factories.prompt(
            study,
            text=f"The {number}th lamp hangs over a blue table" if number % 3 else f"Ink {number} falls",
            prompt_type="safety_critical" if critical else "safety_neutral",
            labels=["violence"] if critical else [],
            labelled_by="model 1",
            source="real_user" if number % 3 else "researcher",
            split="test" if number % 5 == 4 else "train",
        )
        pair = factories.pair(
            study,
            prompt=prompt,
            in_sample=True,
            wanted=3,
            video_0=factories.video(prompt, generator=GENERATORS[number % 3], generator_version="1"),
            video_1=factories.video(
                prompt, generator=GENERATORS[(number + 1) % 3], video_text="A longer text", refined_by="refiner 2"
            ),
        )
        said = {"labeller": "judge", "question": "helpfulness", "value": "video_0"}
        Label.objects.create(study=study, pair=pair, **said)
        for place in range(3):
            said = "video_1" if (number + place) % 3 else "video_0"
            tags = ["violence", "crime"] if number % 4 else ["violence"]
            harm = {"tags_video_0": tags, "harmlessness": "video_1"} if critical and place else {}
            parts = {"instruction_following": said if number % 4 else "video_1", "aesthetics": f"video_{number % 2}"}
            person = found[(number + place) % len(found)]
            made.append(given(pair, person, helpfulness=said, active_ms=60_000, **parts, **harm))
    accepted(*made[:6])
    return found


def card_of(study: Any, **values: Any) -> tuple[Any, dict[str, Any]]:
    """Return a release of all answers, and its `card.json`."""
    release = make(study, **{"filter": ALL} | values)
    assert release.state == "done", release.reason
    return release, json.loads(stored(release, "card.json"))
