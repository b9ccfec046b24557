"""Undo an import or delete a study, as long as no pair of it was served to anyone."""
