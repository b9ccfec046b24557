"""Studies, their settings and texts, and the people who work on them."""
