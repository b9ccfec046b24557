"""How material comes in: sources, archives, uploads, pairing and splits."""
