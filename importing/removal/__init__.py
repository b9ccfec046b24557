"""The way back: undoing an import, and deleting a study, while nobody was given a pair of it."""
