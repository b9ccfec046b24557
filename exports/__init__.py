"""Exports: annotations and skips as JSON Lines."""
