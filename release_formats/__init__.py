"""The formats of releases: JSON Lines, tables, archives of videos, and files for other programs."""
