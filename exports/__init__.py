"""Publishing: what was answered, as JSON Lines."""
