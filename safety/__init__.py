"""Possibly illegal material: reports, quarantine, known hashes and safety officers."""
