"""Models of the material: prompts, videos, pairs, and batches of pairs."""

from catalog.models.changes import PairsChange
from catalog.models.labels import Label
from catalog.models.material import Prompt, Video
from catalog.models.pairs import Batch, HoldChange, Pair
from catalog.models.provenance import Provenance

__all__ = ["Batch", "HoldChange", "Label", "Pair", "PairsChange", "Prompt", "Provenance", "Video"]
