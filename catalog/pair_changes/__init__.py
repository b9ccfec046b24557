"""Changes of many pairs at once: their overlap, their priority, their batches."""
