"""Checking: contradictions today; reviews, spot checks and agreement as they come."""
