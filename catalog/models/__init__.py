"""The catalog's tables, one module a question: who works on what, what is judged, where its bytes are."""

from catalog.models.assets import Asset
from catalog.models.material import Label, Prompt, Video
from catalog.models.pairs import Batch, Pair
from catalog.models.studies import Membership, Study

__all__ = ["Asset", "Batch", "Label", "Membership", "Pair", "Prompt", "Study", "Video"]
