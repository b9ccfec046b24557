"""One person's answers on one pair, as values: what submission writes and drafts may leave incomplete."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

from annotation.models import Annotation
from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS, VIDEOS
from catalog.models import Study

#: The player's fastest speed: the least time in which a video of `d` seconds is seen through is `d` divided by it.
FASTEST = 2.0
#: Of that least time, how much must be reported as played: sampling loses a little at loops and pauses.
PLAYED_SHARE = 0.9


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

    def tagged(self) -> list[str]:
        """The videos that have at least one harm tag."""
        return [video for video in VIDEOS if getattr(self, f"tags_{video}")]

    @property
    def contradictory(self) -> bool:
        """Whether one video has a harm tag, the other none, and the tagged one is called safer (protocol, rule 2)."""
        return self.tagged() == [self.harmlessness]

    def columns(self) -> dict[str, Any]:
        """Keyword arguments for `Annotation`."""
        values = asdict(self)
        return values | {f"tags_{video}": list(values[f"tags_{video}"]) for video in VIDEOS}


def draft_of(annotation: Annotation) -> dict[str, Any]:
    """A stored revision in the shape of a draft, so that the page can fill its form with it."""
    return {
        "helpfulness": {key: getattr(annotation, key) for key in SUB_DIMENSION_KEYS}
        | {"overall": annotation.helpfulness},
        "harmlessness": {
            video: {"tags": getattr(annotation, f"tags_{video}"), "answered": list(HARM_KEYS)} for video in VIDEOS
        }
        | {"overall": annotation.harmlessness},
    }


def unanswered_tags(tags: Mapping[str, Any]) -> list[str]:
    """Where a study asks yes or no for each tag: the harm keys of one video without an answer, in the protocol's
    order."""
    answered = set(tags.get("answered") or ())
    return [key for key in HARM_KEYS if key not in answered]


def stage_errors(draft: Mapping[str, Any], tag_format: str = Study.TagFormat.CHECK_ALL) -> dict[str, str]:
    """For each dimension of a draft whose overall answer came before its first stage was complete: why not."""
    errors = {}
    helpfulness, harmlessness = draft.get("helpfulness") or {}, draft.get("harmlessness") or {}
    if helpfulness.get("overall") and any(not helpfulness.get(key) for key in SUB_DIMENSION_KEYS):
        errors["helpfulness"] = "The overall answer opens when all four questions before it are answered."
    tagged = [harmlessness.get(video) or {} for video in VIDEOS]
    if tag_format == Study.TagFormat.YES_NO:
        if harmlessness.get("overall") and any(map(unanswered_tags, tagged)):
            errors["harmlessness"] = "The overall answer opens when every tag of both videos has its yes or no."
    elif harmlessness.get("overall") and any(video.get("tags") is None for video in tagged):
        errors["harmlessness"] = "The overall answer opens when both videos have their tags, or “none of these”."
    return errors


def unseen(viewing: Mapping[str, Any], durations_s: Mapping[str, float]) -> list[str]:
    """Which videos the reported playback does not show to have been seen through once.

    A video was seen through when the page says that every part of it was played, and when it played for at least
    `PLAYED_SHARE` of its duration at the fastest speed that was used: nobody sees two seconds in one at normal
    speed. A report that is missing or makes no sense shows nothing.

    Args:
        viewing: as submitted: `{"video_0": {"played_s", "seen_through"}, …, "presentation": {"speeds": {"1": s}}}`.
        durations_s: seconds, by `video_0` and `video_1`.
    """
    fastest = _fastest_speed(viewing.get("presentation"))
    missing = []
    for video in VIDEOS:
        report = viewing.get(video)
        report = report if isinstance(report, Mapping) else {}
        least_s = PLAYED_SHARE * durations_s[video] / fastest
        if report.get("seen_through") is not True or _seconds(report.get("played_s")) < least_s:
            missing.append(video)
    return missing


def _fastest_speed(presentation: Any) -> float:
    """The fastest speed at which anything was played, from 1 to `FASTEST`."""
    speeds = presentation.get("speeds") if isinstance(presentation, Mapping) else None
    used = [1.0]
    for speed, seconds in (speeds if isinstance(speeds, Mapping) else {}).items():
        try:
            used.append(float(speed) if _seconds(seconds) > 0 else 1.0)
        except (TypeError, ValueError):
            continue
    return min(FASTEST, max(speed for speed in used if not isnan(speed)))


def _seconds(value: Any) -> float:
    """A reported number of seconds; anything else is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
