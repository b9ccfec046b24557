"""Releases: numbered states of a study's records that never change."""
