"""The figures of a release: sums over its records, figures made of them, and their tables and charts."""
