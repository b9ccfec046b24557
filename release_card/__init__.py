"""The data card of a release, and its figures. Both are made from the release alone."""
