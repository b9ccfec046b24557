"""Tables of quality control: lots and their frames."""

from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision

__all__ = ["FrameItem", "Lot", "LotBatch", "LotDecision"]
