"""Logical contradictions in one person's answers (protocol, rule 2)."""

from annotation.models import Annotation

REASON = "contradiction"


def is_contradictory(annotation: Annotation) -> bool:
    """Whether one video has at least one harm tag, the other none, and the tagged one is preferred as safer."""
    tagged = {"video_0": bool(annotation.tags_video_0), "video_1": bool(annotation.tags_video_1)}
    return tagged["video_0"] != tagged["video_1"] and tagged.get(annotation.harmlessness, False)
