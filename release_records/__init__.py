"""The records of a release on pages, and what differs between two releases."""
