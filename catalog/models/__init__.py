"""What is judged: prompts, videos, their pairs, and the batches of pairs."""

from catalog.models.changes import PairsChange
from catalog.models.material import Label, Prompt, Video
from catalog.models.pairs import Batch, HoldChange, Pair
from catalog.models.provenance import Provenance

__all__ = ["Batch", "HoldChange", "Label", "Pair", "PairsChange", "Prompt", "Provenance", "Video"]
