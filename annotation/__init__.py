"""Judging: serving a pair, the two-stage page, drafts and submission."""
