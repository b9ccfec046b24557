"""Annotation: serve pairs to people, show them the two-stage page, and store drafts and answers."""
