"""The page Quality: what waits for review, what reviews find, and how long it takes. Each figure leads to its rows."""
