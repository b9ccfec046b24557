"""Where an asset's renditions lie in storage: names follow from the public id, without the database."""

TRAINING_FRAMES = 8
STRIP_TILES = 8


def folder(public_id: str) -> str:
    """Storage folder of one asset's renditions; 256 first-level folders keep listings short."""
    return f"renditions/{public_id[:2]}/{public_id}"


def playback(public_id: str) -> str:
    """The MP4 that annotators watch."""
    return f"{folder(public_id)}/playback.mp4"


def poster(public_id: str) -> str:
    """The first frame as a JPEG, at the playback's size."""
    return f"{folder(public_id)}/poster.jpg"


def strip(public_id: str) -> str:
    """A JPEG of 8 small pictures of equal width side by side, evenly spaced from the first to the last."""
    return f"{folder(public_id)}/strip.jpg"


def frame(public_id: str, number: int) -> str:
    """Training frame `number` of 0 to 7: a JPEG of the whole picture, its short side at 160 pixels."""
    if not 0 <= number < TRAINING_FRAMES:
        raise ValueError(f"training frames are numbered 0 to {TRAINING_FRAMES - 1}, not {number}")
    return f"{folder(public_id)}/frames/{number}.jpg"


def apart(public_id: str) -> str:
    """Storage folder of one asset in quarantine, which no address leads to."""
    return f"quarantine/{public_id[:2]}/{public_id}"


def original_apart(public_id: str) -> str:
    """The original of an asset in quarantine."""
    return f"{apart(public_id)}/original"


def renditions_apart(public_id: str) -> str:
    """Storage folder of the renditions of an asset in quarantine, laid out as `folder` is."""
    return f"{apart(public_id)}/renditions"


def playback_apart(public_id: str) -> str:
    """The MP4 of an asset in quarantine."""
    return f"{renditions_apart(public_id)}/playback.mp4"
