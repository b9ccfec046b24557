"""Refuse a file whose header promises more than is prepared, before anything of it is decoded."""

from diptych.durations import in_words
from media import limits
from media.commands import UnplayableMedia
from media.probe import Facts


def refuse_costly(facts: Facts) -> None:
    """Raises `UnplayableMedia` for too many streams, frames a second or seconds; `probe` does so for pixels."""
    if facts.streams > limits.STREAMS:
        raise UnplayableMedia(f"The file has {facts.streams} streams; at most {limits.STREAMS} are read.")
    if facts.average_fps > limits.SOURCE_FPS:
        raise UnplayableMedia(
            f"The file says that it has {facts.average_fps:,.0f} frames a second; "
            f"at most {limits.SOURCE_FPS:,} are prepared."
        )
    if facts.picture_duration_stated or facts.audio_index is None:
        refuse_long(facts.duration_s)  # else the length may be that of the sound, which is cut


def refuse_long(duration_s: float) -> None:
    """Raises `UnplayableMedia` for a clip that is longer than the setting MEDIA_LONGEST_S."""
    longest = limits.longest_s()
    if duration_s > longest:
        raise UnplayableMedia(f"The clip is longer than {in_words(longest)}; longer ones are not prepared. Cut it.")
