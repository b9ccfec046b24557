"""The distance between two videos while they play, from what the browser reports that it presented and when."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

Presented = Sequence[tuple[float, float]]  # [display time in ms, media time in s], in order


@dataclass(frozen=True, slots=True)
class Skew:
    """Differences in frames of the slower clip, and the longest time in ms with more than one."""

    frames: list[float]
    longest_ms: float


def skew(left: Presented, right: Presented, *, fps: float, length_s: float) -> Skew:
    """Compare, at each moment in which either video presents a frame, what both then show.

    At the turn of the loop one may show the last frame and the other the first. Those count as neighbours.

    Args:
        fps: frames per second of the slower clip.
        length_s: seconds of both clips.
    """
    moments = sorted({at for at, _ in (*left, *right)})
    began = max(left[0][0], right[0][0])
    differences, apart_since, longest_ms = [], None, 0.0
    for at in (moment for moment in moments if moment >= began):
        difference = abs(_shown(left, at) - _shown(right, at))
        frames = min(difference, length_s - difference) * fps
        differences.append(frames)
        if frames <= 1.01:  # rounding of media times
            apart_since = None
            continue
        apart_since = at if apart_since is None else apart_since
        longest_ms = max(longest_ms, at - apart_since)
    return Skew(differences, longest_ms)


def _shown(presented: Presented, at: float) -> float:
    """Return the media time of the last frame that was presented at a moment."""
    return presented[bisect_right(presented, (at, float("inf"))) - 1][1]
