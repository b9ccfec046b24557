"""The study *Example: simulated answers*: what a study looks like after its first lots, releases and models.

A program gives all answers and reviews. They go through the functions that serve people, and through the real jobs.
"""

SLUG, TITLE = "example", "Example: simulated answers"
