"""Changes of many pairs at once: overlap, priority, batches, holds."""
