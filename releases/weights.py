"""Weights of answers by the reliability of their authors, for those who train models on them.

A weight belongs to a person and a question. It is 2a - 1 for a person whose answers are right with the probability a
(the one-coin model of Dawid and Skene, `diptych/statistics/reliability.py`), divided by the mean of all people with a
known reliability, by their answers in the random overlap. So somebody who tosses coins has 0, the average is 1, and
people about whom nothing is known have 1. Only answers on training prompts are used. A weight shows how reliable the
code is that stands beside it, so a release has weights only if somebody asks for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from figures import figure_jobs
from figures.annotators.tables import training_reliability
from figures.models import StudyFigures
from releases.items import QUESTIONS
from releases.models import Release

METHOD = (
    "one-coin Dawid-Skene on planned first answers and blind reviews of training prompts; weight = max(0, 2a - 1), "
    "divided by the mean over people; 1 where a is not known; `weight` is the mean over the six questions"
)
#: SQL for the columns of an item. The parameter has the weights by the key of the person, and is null without weights.
WEIGHT = "coalesce((%(weights)s::jsonb -> assignment.person_id::text ->> 'mean')::double precision, 1.0)"
WEIGHTS = (
    "CASE WHEN %(weights)s::jsonb IS NOT NULL THEN "
    "coalesce(%(weights)s::jsonb -> assignment.person_id::text -> 'by_question', %(no_weights)s::jsonb) END"
)
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a release by person and question, and what the manifest says of them.

    `people` is None if the release has no weights.
    """

    people: Mapping[int, Mapping[str, float]] | None = None
    about: dict[str, Any] | None = field(default=None)

    def parameters(self) -> dict[str, str | None]:
        """Return the parameters of `WEIGHT` and `WEIGHTS`."""
        ones = orjson.dumps(dict.fromkeys(QUESTIONS, 1.0)).decode()
        if self.people is None:
            return {"weights": None, "no_weights": ones}
        by_person = {
            str(person): {"by_question": found, "mean": round(sum(found.values()) / len(found), DIGITS)}
            for person, found in self.people.items()
        }
        return {"weights": orjson.dumps(by_person).decode(), "no_weights": ones}


def of_release(release: Release) -> Weights:
    """Return the weights of a release from the newest figures of annotators, if the release is to have them."""
    if not release.with_weights:
        return Weights()
    figures = figure_jobs.newest(release.study, StudyFigures.Kind.ANNOTATORS)
    if figures is None or figures.finished_at is None:
        return Weights({}, {"run": None, "computed_on": None, "people": 0, "method": METHOD})
    people = of_reliability(training_reliability(figures))
    computed_on = figures.finished_at.date().isoformat()
    return Weights(people, {"run": figures.pk, "computed_on": computed_on, "people": len(people), "method": METHOD})


def of_reliability(known: Mapping[int, Mapping[str, float]]) -> dict[int, dict[str, float]]:
    """Return weights by person and question from the probabilities of right answers. People without any have none."""
    signal = {
        question: {person: max(0.0, 2 * found[question] - 1) for person, found in known.items() if question in found}
        for question in QUESTIONS
    }
    mean = {question: sum(of.values()) / len(of) if of else 0.0 for question, of in signal.items()}
    return {
        person: {
            question: round(signal[question][person] / mean[question], DIGITS)
            if person in signal[question] and mean[question]
            else 1.0
            for question in QUESTIONS
        }
        for person, found in known.items()
        if found
    }
