"""Qualification: a guided training and a test before ordinary work, if the study asks for it."""
