"""Refuse a file whose header exceeds the limits, before anything of it is decoded."""

from media import limits
from media.commands import UnplayableMedia
from media.probe import Facts


def refuse_costly(facts: Facts) -> None:
    """Raise `UnplayableMedia` for too many streams, frames per second or seconds. `probe` does so for pixels."""
    if facts.streams > limits.STREAMS:
        raise UnplayableMedia("too_many_streams", streams=facts.streams, most=limits.STREAMS)
    if facts.average_fps > limits.SOURCE_FPS:
        raise UnplayableMedia("too_many_frames", fps=round(facts.average_fps), most=limits.SOURCE_FPS)
    if facts.picture_duration_stated or facts.audio_index is None:
        refuse_long(facts.duration_s)  # otherwise this may be the length of the sound, which is cut


def refuse_long(duration_s: float) -> None:
    """Raise `UnplayableMedia` for a clip that is longer than the setting MEDIA_LONGEST_S."""
    longest = limits.longest_s()
    if duration_s > longest:
        raise UnplayableMedia("too_long", longest_s=longest)
