"""The data card of a release: what it is, how it was collected, and how good it is, from the release alone."""
