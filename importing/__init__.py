"""Import material: sources, archives, uploads, pairing and splits."""
