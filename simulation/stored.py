"""Read the answers of a simulated study back from the database, as a table of the model."""

from collections.abc import Sequence

import numpy as np

from annotation.models import Annotation
from annotation.protocol import VIDEOS
from catalog.models import Pair
from catalog.slots import AskedBecause
from simulation.material import Simulated
from simulation.people import Sheet
from simulation.truth import QUESTIONS, TAGS
from simulation.work import Table, ordinals
from studies.harms import HARM_KEYS
from studies.models import Study

_VIDEO = {video: place for place, video in enumerate(VIDEOS)}
_HARM = {key: place for place, key in enumerate(HARM_KEYS)}


def pair_ids(study: Study) -> list[str]:
    """Return the published ids of the pairs, in the order of the world."""
    return list(Pair.objects.filter(study=study).order_by("pk").values_list("public_id", flat=True))


def answers(simulated: Simulated) -> Table:
    """Return the first, planned answers of all annotators, in the order in which they were given, without later rounds.

    Replacements and answers that were asked for because others disagreed are left out, as in all figures of agreement.

    Which answers were fast or careless is not stored, so nobody is marked so here.
    """
    study = simulated.study
    places = {
        key: place
        for place, key in enumerate(Pair.objects.filter(study=study).order_by("pk").values_list("pk", flat=True))
    }
    numbers = {person.pk: number for number, person in enumerate(simulated.annotators)}
    columns = ("assignment__pair_id", "author_id", "assignment__left", *QUESTIONS, "timings_ms", "unsure")
    rows = list(
        Annotation.objects.filter(study=study, revision=1, assignment__round=0)
        .filter(assignment__asked_because=AskedBecause.PLAN)
        .order_by("submitted_at", "pk")
        .values_list(*columns, "tags_video_0", "tags_video_1")
    )
    pair, person, left = (np.array(column, dtype=np.int64) for column in _first_columns(rows, places, numbers))
    choices = np.array([[_VIDEO[value] for value in row[3:9]] for row in rows], dtype=np.int64).reshape(
        -1, len(QUESTIONS)
    )
    seconds = np.array([row[9].get("total_active", 0) / 1000 for row in rows])
    nothing = np.zeros(len(rows), dtype=np.bool_)
    sheet = Sheet(choices, _tags(rows), seconds, nothing, nothing, np.array([row[10] for row in rows], dtype=np.bool_))
    return Table(pair, person, left, ordinals(person, len(numbers)), sheet)


def sheet_of(revisions: Sequence[Annotation]) -> Sheet:
    """Return these revisions as a sheet, in their order. Times and what was careless are left out."""
    choices = [[_VIDEO[getattr(one, question)] for question in QUESTIONS] for one in revisions]
    tags = np.zeros((len(revisions), 2, TAGS), dtype=np.bool_)
    for row, one in enumerate(revisions):
        for video, given in enumerate((one.tags_video_0, one.tags_video_1)):
            tags[row, video, [_HARM[key] for key in given]] = True
    nothing, seconds = np.zeros(len(revisions), dtype=np.bool_), np.zeros(len(revisions))
    return Sheet(
        np.array(choices, dtype=np.int64).reshape(-1, len(QUESTIONS)), tags, seconds, nothing, nothing, nothing
    )


def _first_columns(
    rows: Sequence[tuple], places: dict[int, int], numbers: dict[int, int]
) -> tuple[list[int], list[int], list[int]]:
    return [places[row[0]] for row in rows], [numbers[row[1]] for row in rows], [_VIDEO[row[2]] for row in rows]


def _tags(rows: Sequence[tuple]) -> np.ndarray:
    tags = np.zeros((len(rows), 2, TAGS), dtype=np.bool_)
    for place, row in enumerate(rows):
        for video in (0, 1):
            tags[place, video, [_HARM[key] for key in row[11 + video]]] = True
    return tags
