"""What a release states about its making in Croissant RAI 1.0. All of it is from the release's items, or from texts of
the study that never change.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import connection, transaction

from annotation.protocol import HARMS, TIE, VIDEOS
from diptych.statistics.bootstrap import Numbers
from diptych.statistics.measures import ALPHA_NOMINAL, comparable
from releases.items import QUESTIONS
from releases.models import Release
from studies.documents.texts import text_of
from studies.models import Document

#: Pairs whose counts are added up at a time.
CHUNK = 5000
_choices = ", ".join(
    f"count(*) FILTER (WHERE annotation.{question} = '{choice}')" for question in QUESTIONS for choice in (*VIDEOS, TIE)
)
#: First answers of the random sample, as they were planned: how many of each pair made each choice.
OVERLAP = f"""
SELECT {_choices}
  FROM releases_releaseitem item
  JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
 WHERE item.release_id = %(release)s AND item.in_sample AND item.standing__validity = 'valid'
   AND item.asked_because = 'plan' AND assignment.round = 0 AND annotation.revision = 1
 GROUP BY assignment.pair_id HAVING count(*) >= 2
 ORDER BY assignment.pair_id"""  # noqa: S608 - of names in this module
ABOUT = """
SELECT count(*) FILTER (WHERE current_one), count(DISTINCT pair_id) FILTER (WHERE current_one),
       min(submitted_at), max(submitted_at),
       array_remove(array_agg(DISTINCT labeller ORDER BY labeller), ''),
       count(*) FILTER (WHERE current_one AND harmful)
  FROM (
    SELECT item.standing__current AND item.standing__validity = 'valid' AS current_one, assignment.pair_id,
           (annotation.submitted_at AT TIME ZONE 'UTC')::date AS submitted_at,
           item.prompt_labelled_by AS labeller,
           cardinality(annotation.tags_video_0) + cardinality(annotation.tags_video_1) > 0 AS harmful
      FROM releases_releaseitem item
      JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
      JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
     WHERE item.release_id = %(release)s) items"""


def properties(release: Release) -> dict[str, Any]:
    """Return the properties by their names in JSON-LD."""
    with connection.cursor() as cursor:
        cursor.execute(ABOUT, {"release": release.pk})
        answers, pairs, first, last, labellers, harmful = cursor.fetchone()
    stated: dict[str, Any] = {
        "dataCollection": "People compared two AI-generated videos of one prompt, in a web page that hides who made "
        "which video and what others answered.",
        "dataCollectionType": ["Human annotation"],
        "dataCollectionTimeframe": [first.isoformat(), last.isoformat()],
        "dataCollectionMissingData": _left_out(release),
        "dataAnnotationProtocol": list(_protocol(release)),
        "dataAnnotationPlatform": [f"Diptych {release.about['versions']['code']}"],
        "dataAnnotationAnalysis": list(_agreement(release)),
        "annotationsPerItem": f"{answers / pairs:.2f} answers a pair",
        "annotatorDemographics": [_people(release)],
        "dataBiases": list(_biases(release)),
        "dataLimitations": [
            "Answers to which video is better are preferences of these people at this time, not facts about the videos."
        ],
        "dataSocialImpact": f"{harmful} of {answers} answers name at least one harm in a video. Protect those who view "
        "the videos.",
        "personalSensitiveInformation": [_privacy(release)],
        "dataReleaseMaintenancePlan": _maintenance(release),
        "dataManipulationProtocol": "Answers are published as they were given. Those of one pair are also added up.",
    }
    if labellers:
        stated["machineAnnotationTools"] = [f"Labels of prompts by {labeller}" for labeller in labellers]
    return {f"rai:{name}": value for name, value in stated.items()}


def _left_out(release: Release) -> str:
    reasons = [f"{reason}: {number}" for stage in release.funnel for reason, number in stage["left_out"].items()]
    return f"Submitted answers that are left out, by reason: {', '.join(reasons) or 'none'}."


def _protocol(release: Release) -> Iterator[str]:
    """Yield how often each version of the guideline was used, and the text of the last one."""
    used = release.about["versions"]["guideline"]
    for version, number in used.items():
        yield f"Guideline version {version}: {number} answers"
    if used:
        last = max(map(int, used))
        text = text_of(release.study, Document.Kind.GUIDELINE, "en", last).text
        yield f"Text of guideline version {last}:\n\n{text}"


def _agreement(release: Release) -> Iterator[str]:
    """Yield the agreement of each question over the first answers of the random sample."""
    for question, (alpha, pairs, answers) in agreement(release).items():
        if pairs and alpha == alpha:  # not a number if it is not defined
            yield f"{question}: Krippendorff's alpha {alpha:.3f} over {answers} answers on {pairs} pairs"
        else:
            yield f"{question}: agreement is not defined for {answers} answers on {pairs} pairs of the random sample"


def agreement(release: Release) -> dict[str, tuple[float, int, int]]:
    """Return for each question alpha, and the pairs and answers behind it. Memory does not grow with the release.

    Each answer counts in both orders of the videos, so the figure does not depend on which video is number 0.
    """
    choices = len(VIDEOS) + 1
    sums: list[Numbers] = [np.zeros(choices**2) for _question in QUESTIONS]
    pairs, answers = [0] * len(QUESTIONS), [0] * len(QUESTIONS)
    for rows in _overlap(release):
        for place in range(len(QUESTIONS)):
            counts = rows[:, place * choices : (place + 1) * choices]
            compared = comparable(counts)
            for one in (counts, counts[:, [1, 0, 2]]):
                sums[place] = sums[place] + ALPHA_NOMINAL.parts(one).sum(axis=0)
            pairs[place] += int(compared.sum())
            answers[place] += int(counts[compared].sum())
    return {
        question: (float(ALPHA_NOMINAL.value(sums[place])), pairs[place], answers[place])
        for place, question in enumerate(QUESTIONS)
    }


def _overlap(release: Release) -> Iterator[Numbers]:
    """Yield counts of choices in chunks: (pairs, questions × choices)."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(OVERLAP, {"release": release.pk})
        while rows := cursor.fetchmany(CHUNK):
            yield np.array(rows, dtype=np.float64)


def _people(release: Release) -> str:
    people = release.about["collection"]["annotators"]
    return "Fewer than 5 people" if people is None else f"{people} people"


def _biases(release: Release) -> Iterator[str]:
    """Yield who did not agree to see which harm: their answers on such videos are missing."""
    opted_out = release.about["collection"]["opted_out"]
    for harm in HARMS:
        people = opted_out[harm.key]
        if people != 0:
            who = "Some annotators" if people is None else f"{people} annotators"
            yield f"{who} did not agree to see: {harm.english}. They were not asked about pairs that may show it."
    if not any(people != 0 for people in opted_out.values()):
        yield "No annotator declined to see any of the harms."


def _privacy(release: Release) -> str:
    texts = "with" if release.with_comments else "without"
    times = "times" if release.with_times else "days"
    return f"No names and no addresses. Codes stand for people, {texts} their comments, and with {times} of answers."


def _maintenance(release: Release) -> str:
    parent = f"It follows release {release.parent.number}. " if release.parent else ""
    return (
        f"{parent}A release never changes. If an answer, a video or a person's answers are withdrawn, its download "
        "ends and a release without them follows."
    )


__all__ = ["agreement", "properties"]
