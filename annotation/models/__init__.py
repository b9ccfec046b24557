"""Who was given which pair, what they answered, how that answer stands, and what they were exposed to.

Locks are taken in this order: seat, assignment, pair, standing, dose; then the pair's batch and the study, shared.
Nobody waits for a pair while holding one.
"""

from annotation.models.answers import Annotation, SecondLook, Standing
from annotation.models.exposure import Break, Dose, Exposure
from annotation.models.giving import Assignment, Seat

__all__ = ["Annotation", "Assignment", "Break", "Dose", "Exposure", "Seat", "SecondLook", "Standing"]
