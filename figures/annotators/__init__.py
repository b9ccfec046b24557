"""How each annotator works: the answers that are read, the figures of each person, and their tables."""
