"""One person's answers on one pair, as values. A submission is complete; a draft may be incomplete."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any

from annotation.models import Annotation
from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS, VIDEOS
from studies.models import Study

#: At a higher speed, a video is played but not watched. The page has the same rule (static/js/player/viewing.js).
FASTEST_WATCHED = 1.0
#: Share of a video's length that must be reported as watched. It is below 1 because sampling misses moments at
#: loops and pauses.
WATCHED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Answers:
    """A complete set of answers, with the person's comment. Field names are those of `Annotation`."""

    instruction_following: str
    correctness: str
    informativeness: str
    aesthetics: str
    helpfulness: str
    harmlessness: str
    tags_video_0: tuple[str, ...]
    tags_video_1: tuple[str, ...]
    unsure: bool = False
    comment: str = ""

    @classmethod
    def from_body(
        cls, helpfulness: Mapping[str, Any], harmlessness: Mapping[str, Any], *, unsure: bool = False, comment: str = ""
    ) -> "Answers":
        """Return answers from the parts of a submission's validated body."""
        return cls(
            **{key: helpfulness[key] for key in SUB_DIMENSION_KEYS},
            helpfulness=helpfulness["overall"],
            harmlessness=harmlessness["overall"],
            tags_video_0=tuple(sorted(set(harmlessness["video_0"]["tags"]))),
            tags_video_1=tuple(sorted(set(harmlessness["video_1"]["tags"]))),
            unsure=unsure,
            comment=comment,
        )

    @classmethod
    def from_annotation(cls, annotation: Annotation) -> "Answers":
        """Return the answers of a stored revision."""
        return cls(
            **{key: getattr(annotation, key) for key in (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")},
            tags_video_0=tuple(sorted(annotation.tags_video_0)),
            tags_video_1=tuple(sorted(annotation.tags_video_1)),
            unsure=annotation.unsure,
            comment=annotation.comment,
        )

    def tagged(self) -> list[str]:
        """Return the videos that have at least one harm tag."""
        return [video for video in VIDEOS if getattr(self, f"tags_{video}")]

    @property
    def contradictory(self) -> bool:
        """Return whether only one video has harm tags and that video is chosen as safer (protocol, rule 2)."""
        return self.tagged() == [self.harmlessness]

    def columns(self) -> dict[str, Any]:
        """Return the answers as keyword arguments for `Annotation`."""
        values = asdict(self)
        return values | {f"tags_{video}": list(values[f"tags_{video}"]) for video in VIDEOS}


def as_draft(annotation: Annotation) -> dict[str, Any]:
    """Return a stored revision in the format of a draft, so that the page can fill its form with it."""
    return {
        "helpfulness": {key: getattr(annotation, key) for key in SUB_DIMENSION_KEYS}
        | {"overall": annotation.helpfulness},
        "harmlessness": {
            video: {"tags": getattr(annotation, f"tags_{video}"), "answered": list(HARM_KEYS)} for video in VIDEOS
        }
        | {"overall": annotation.harmlessness},
        "unsure": annotation.unsure,
        "comment": annotation.comment,
    }


def unanswered_tags(tags: Mapping[str, Any]) -> list[str]:
    """Return the harm keys of one video that have no yes or no, in the protocol's order.

    Use it for studies that ask yes or no for each tag.
    """
    answered = set(tags.get("answered") or ())
    return [key for key in HARM_KEYS if key not in answered]


def stage_errors(draft: Mapping[str, Any], tag_format: str = Study.TagFormat.CHECK_ALL) -> dict[str, str]:
    """Return an error for each dimension of a draft with an overall answer but an incomplete first stage."""
    errors = {}
    helpfulness, harmlessness = draft.get("helpfulness") or {}, draft.get("harmlessness") or {}
    if helpfulness.get("overall") and any(not helpfulness.get(key) for key in SUB_DIMENSION_KEYS):
        errors["helpfulness"] = "Answer the four questions before the overall answer."
    tagged = [harmlessness.get(video) or {} for video in VIDEOS]
    if tag_format == Study.TagFormat.YES_NO:
        if harmlessness.get("overall") and any(map(unanswered_tags, tagged)):
            errors["harmlessness"] = "Answer yes or no for each tag of both videos before the overall answer."
    elif harmlessness.get("overall") and any(video.get("tags") is None for video in tagged):
        errors["harmlessness"] = "Choose tags or “none of these” for both videos before the overall answer."
    return errors


def unwatched(viewing: Mapping[str, Any], durations_s: Mapping[str, float]) -> list[str]:
    """Return the videos that the person has not watched to the end once, according to the report.

    A second counts as watched if the video played at 1× or slower, the page was visible and the video was not blurred.
    A video counts as watched if two things hold. The page reports that every part was watched. The reported seconds are
    at least `WATCHED_SHARE` of the video's length. A missing or malformed report counts as not watched.

    Args:
        viewing: as submitted: `{"video_0": {"watched_s", "seen_through"}, …, "presentation": {"speeds": {"1": s}}}`.
            Without `watched_s`, `played_s` counts instead, up to the seconds at slow enough speeds.
        durations_s: length in seconds of `video_0` and `video_1`.
    """
    slow_s = _slow_seconds(viewing.get("presentation"))
    missing = []
    for video in VIDEOS:
        report = viewing.get(video)
        report = report if isinstance(report, Mapping) else {}
        if report.get("seen_through") is not True or _watched(report, slow_s) < WATCHED_SHARE * durations_s[video]:
            missing.append(video)
    return missing


def _watched(report: Mapping[str, Any], slow_s: float) -> float:
    """Return the seconds in which one video was watched. `slow_s` is how long the pair played at 1× or slower."""
    if "watched_s" not in report:
        return min(slow_s, _seconds(report.get("played_s")))
    return _seconds(report["watched_s"]) if slow_s else 0.0


def _slow_seconds(presentation: Any) -> float:
    """Return the seconds in which the pair played at 1× or slower; infinity if no speed is reported."""
    speeds = presentation.get("speeds") if isinstance(presentation, Mapping) else None
    if not isinstance(speeds, Mapping):
        return inf
    return sum(_seconds(seconds) for speed, seconds in speeds.items() if _is_slow(speed))


def _is_slow(speed: Any) -> bool:
    try:
        return 0 < float(speed) <= FASTEST_WATCHED
    except (TypeError, ValueError):
        return False


def _seconds(value: Any) -> float:
    """Return a reported number of seconds, or 0 if the value is not a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    try:
        seconds = float(value)
    except OverflowError:  # JSON allows integers of any length
        return 0.0
    return seconds if isfinite(seconds) and seconds > 0 else 0.0
