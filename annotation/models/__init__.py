"""Tables: seats and assignments, answers and how they stand, and people's exposure.

Lock in this order: seat, assignment, pair, standing, dose. Then share-lock the pair's batch and the study. Never wait
for a pair while another one is locked.
"""

from annotation.models.answers import Annotation, SecondLook, Standing
from annotation.models.assignments import Assignment, Seat
from annotation.models.exposure import Break, Dose, Exposure, ExposureCounters

__all__ = [
    "Annotation",
    "Assignment",
    "Break",
    "Dose",
    "Exposure",
    "ExposureCounters",
    "Seat",
    "SecondLook",
    "Standing",
]
