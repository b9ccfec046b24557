"""Changes of many pairs: overlap, priority, batches, holds."""
