"""One person's answers on one pair, as values: what submission writes and drafts may leave incomplete."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from annotation.models import Annotation
from annotation.protocol import SUB_DIMENSION_KEYS, VIDEOS


@dataclass(frozen=True, slots=True)
class Answers:
    """A complete set of answers; field names are `Annotation`'s."""

    instruction_following: str
    correctness: str
    informativeness: str
    aesthetics: str
    helpfulness: str
    harmlessness: str
    tags_video_0: tuple[str, ...]
    tags_video_1: tuple[str, ...]

    @classmethod
    def from_body(cls, helpfulness: Mapping[str, Any], harmlessness: Mapping[str, Any]) -> "Answers":
        """From the two dimensions of a submission's body, already validated."""
        return cls(
            **{key: helpfulness[key] for key in SUB_DIMENSION_KEYS},
            helpfulness=helpfulness["overall"],
            harmlessness=harmlessness["overall"],
            tags_video_0=tuple(sorted(set(harmlessness["video_0"]["tags"]))),
            tags_video_1=tuple(sorted(set(harmlessness["video_1"]["tags"]))),
        )

    @classmethod
    def of(cls, annotation: Annotation) -> "Answers":
        """From a stored revision."""
        return cls(
            **{key: getattr(annotation, key) for key in (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")},
            tags_video_0=tuple(sorted(annotation.tags_video_0)),
            tags_video_1=tuple(sorted(annotation.tags_video_1)),
        )

    def columns(self) -> dict[str, Any]:
        """Keyword arguments for `Annotation`."""
        values = asdict(self)
        return values | {f"tags_{video}": list(values[f"tags_{video}"]) for video in VIDEOS}


def stage_errors(draft: Mapping[str, Any]) -> dict[str, str]:
    """For each dimension of a draft whose overall answer came before its first stage was complete: why not."""
    errors = {}
    helpfulness, harmlessness = draft.get("helpfulness") or {}, draft.get("harmlessness") or {}
    if helpfulness.get("overall") and any(not helpfulness.get(key) for key in SUB_DIMENSION_KEYS):
        errors["helpfulness"] = "The overall answer opens when all four questions before it are answered."
    tagged = [(harmlessness.get(video) or {}).get("tags") for video in VIDEOS]
    if harmlessness.get("overall") and None in tagged:
        errors["harmlessness"] = "The overall answer opens when both videos have their tags, or “none of these”."
    return errors
