"""Names of an asset's files in storage. They follow from the public id, without the database."""

TRAINING_FRAMES = 8
STRIP_TILES = 8


def folder(public_id: str) -> str:
    """Return the storage folder of one asset's renditions. 256 first-level folders keep listings short."""
    return f"renditions/{public_id[:2]}/{public_id}"


def playback(public_id: str) -> str:
    """Return the name of the MP4 that annotators watch."""
    return f"{folder(public_id)}/playback.mp4"


def poster(public_id: str) -> str:
    """Return the name of the first frame: a JPEG of the playback's size."""
    return f"{folder(public_id)}/poster.jpg"


def strip(public_id: str) -> str:
    """Return the name of a JPEG with 8 small pictures side by side, evenly spaced from the first to the last."""
    return f"{folder(public_id)}/strip.jpg"


def frame(public_id: str, number: int) -> str:
    """Return the name of training frame 0 to 7: a JPEG of the whole picture, its short side 160 pixels."""
    if not 0 <= number < TRAINING_FRAMES:
        raise ValueError(f"training frames are numbered 0 to {TRAINING_FRAMES - 1}, not {number}")
    return f"{folder(public_id)}/frames/{number}.jpg"


def apart(public_id: str) -> str:
    """Return the storage folder of one asset in quarantine. No address leads to it."""
    return f"quarantine/{public_id[:2]}/{public_id}"


def original_apart(public_id: str) -> str:
    """Return the name of the original of an asset in quarantine."""
    return f"{apart(public_id)}/original"


def renditions_apart(public_id: str) -> str:
    """Return the storage folder of the renditions of an asset in quarantine, with the same names as in `folder`."""
    return f"{apart(public_id)}/renditions"


def playback_apart(public_id: str) -> str:
    """Return the name of the MP4 of an asset in quarantine."""
    return f"{renditions_apart(public_id)}/playback.mp4"
