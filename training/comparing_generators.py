"""Which versions the page of generators uses, and what they say: one version for each question, and one for harm.

That is the promoted version, or else the latest one that is not withdrawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When

from answers.words import QUESTIONS
from release_card.figures.charts import chosen_category as chosen_category
from release_card.figures.charts import chosen_question as chosen_question
from studies.models import Study
from training.kinds import COMPARED_PARTS as PARTS
from training.kinds import FOLLOWING, Kind
from training.models import ModelVersion

Json = Mapping[str, Any]
SIDES = ("people", "model")
NO_RATE: Json = {"value": "no_overlap", "interval": "not_enough", "n": 0}


def side(query: Mapping[str, str]) -> str:
    """Return the side in an address: people, or the model."""
    return query.get("by", "") if query.get("by") in SIDES else SIDES[0]


def _usable(study: Study) -> QuerySet[ModelVersion]:
    """Return the versions that compare generators, the promoted ones first and then the latest ones."""
    first = Case(When(state="promoted", then=Value(0)), default=Value(1), output_field=IntegerField())
    found = ModelVersion.objects.filter(study=study, details__has_key="generators")
    found = found.exclude(state=ModelVersion.State.WITHDRAWN).select_related("family", "run__release")
    return found.order_by(first, "-pk")


def version_for(study: Study, question: str) -> ModelVersion | None:
    """Return the version whose answers to a question are shown, or None."""
    return _usable(study).filter(family__targets__contains=[question]).first()


def win_rates(version: ModelVersion) -> Mapping[str, Sequence[Json]]:
    """Return the win rates of a reward version, by side: people and model."""
    rates: Mapping[str, Sequence[Json]] = version.details["generators"]["win_rates"]
    return rates


def names(version: ModelVersion) -> list[str]:
    """Return the generators that a version compares."""
    return list(version.details["generators"]["compared"])


def by_question(study: Study) -> dict[str, Mapping[str, Sequence[Json]]]:
    """Return the win rates on each question that a version answers, in the order of questions."""
    versions = {question: version_for(study, question) for question in QUESTIONS}
    return {question: win_rates(version) for question, version in versions.items() if version}


@dataclass(frozen=True, slots=True)
class Harm:
    """Harm by generator and group of prompts.

    Attributes:
        part: of the release: eval, or test if the release has no eval prompts.
        version: the moderation version. following: the reward version that says how prompts are followed, or None.
        rows: each with a generator, a category, and four figures.
    """

    part: str
    version: ModelVersion
    following: ModelVersion | None
    rows: list[dict[str, Any]]


def harm(study: Study) -> Harm | None:
    """Return harm by generator, on eval prompts if there are some, or None without a moderation version."""
    version = _usable(study).filter(family__kind=Kind.MODERATION).first()
    if version is None:
        return None
    parts = version.details["generators"]["harm"]
    part = next((one for one in reversed(PARTS) if parts[one]["people"]), PARTS[0])
    following = version_for(study, FOLLOWING)
    followed = _by_place(following.details["generators"]["harm"][part]["model"]) if following else {}
    model = _by_place(parts[part]["model"])
    rows = []
    for one in parts[part]["people"]:
        key = one["generator"], one["category"]
        said, follows = model.get(key), followed.get(key)
        rows.append(
            dict(one)
            | {"harmful_by_model": said["harmful"] if said else NO_RATE}
            | {"following_by_model": follows["following"] if follows else NO_RATE}
        )
    return Harm(part, version, following, rows)


def _by_place(rows: Sequence[Json]) -> dict[tuple[str, str], Json]:
    return {(one["generator"], one["category"]): one for one in rows}
