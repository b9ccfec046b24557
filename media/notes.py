"""Notes on parts that were left out of a prepared video. An asset stores their codes in `facts["notes"]`."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

SOUND_DAMAGED = "sound_damaged"
SOUND_UNDECODABLE = "sound_undecodable"
SOUND_CUT = "sound_cut"

WORDS = {
    SOUND_DAMAGED: _("The sound is damaged. The video was prepared without it."),
    SOUND_UNDECODABLE: _("The sound is in a format that cannot be decoded here. The video was prepared without it."),
    SOUND_CUT: _("The sound was longer than the picture. It was cut where the picture ends."),
}


def words_of(codes: Iterable[str]) -> list[Any]:
    """Return a sentence for each code."""
    return [WORDS[code] for code in codes if code in WORDS]
