"""The figures of each annotator, as JSON that is stored and shown later. No figure is a rank.

Shares have exact intervals. People are named by their key here; pages show the codes of the study instead.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from annotation.protocol import HARM_KEYS
from diptych.statistics.figures import NotDefined
from diptych.statistics.rates import share_between
from diptych.statistics.reliability import FEWEST_POSITIVES, people_figures, side_bias
from figures.agreement.figures import week_name, weeks_of_moments
from figures.agreement.sample import Flags, Index
from figures.annotators.answers import (
    QUESTIONS,
    BlindReviews,
    FirstAnswers,
    Judgements,
    blind_reviews,
    first_answers,
    judged,
    judgements,
    popcount,
    training_pairs,
)
from studies.models import Study

HELPFULNESS = QUESTIONS.index("helpfulness")
#: A person has figures for at most so many weeks, the latest ones.
MOST_WEEKS = 26

Figures = dict[str, Any]


def compute(
    study: Study, begin: Callable[[int], None] = lambda total: None, advance: Callable[[], None] = lambda: None
) -> Any:
    """Return the figures of all annotators as JSON, by the key of the person.

    begin: called once with the number of steps. advance: called after each step; it may raise to stop.
    """
    answers = first_answers(study)
    begin(4 + 2 * len(QUESTIONS) + len(HARM_KEYS))
    people = {int(person): Figures() for person in np.unique(answers.person)}
    _add_own(people, answers)
    advance()
    together = judgements(study, answers)
    _add_beside_others(people, answers, together)
    advance()
    _add_reviews(people, blind_reviews(study), judged(study))
    advance()
    ties = study.allow_ties or bool((together.choices == 1).any())
    reliability = _of_questions(together, ties, advance) | _of_tags(together, advance)
    training = _of_questions(together.only(training_pairs(study)), ties, advance)
    for person, figures in people.items():
        figures["reliability"] = {subject: found.get(person) for subject, found in reliability.items()}
        figures["training_reliability"] = {subject: found.get(person) for subject, found in training.items()}
    return {"people": {str(person): figures for person, figures in people.items()}}


def share(count: int, of: int) -> dict[str, Any]:
    """Return a share with its exact interval as JSON. The share is null if there is nothing to share."""
    low, high = share_between(int(count), int(of))
    return {"count": int(count), "of": int(of), "share": count / of if of else None, "low": low, "high": high}


def _add_own(people: dict[int, Figures], answers: FirstAnswers) -> None:
    """Add what needs nobody else: counts, side bias, tags, times and weeks."""
    order = np.argsort(answers.person, kind="stable")
    starts = np.flatnonzero(np.diff(answers.person[order], prepend=-1))
    week = weeks_of_moments(answers.second)
    for mine in np.split(order, starts[1:]) if len(order) else []:
        figures = people[int(answers.person[mine[0]])]
        figures |= {
            "answers": len(mine),
            "invalid": int((~answers.valid[mine]).sum()),
            "rejected": share(answers.rejected[mine].sum(), len(mine)),
            "left": {key: _left(answers, mine, place) for place, key in enumerate(QUESTIONS)},
            "tagged": share((answers.tags[mine] > 0).any(axis=1).sum(), len(mine)),
            "seconds": _median(answers.active_ms[mine] / 1000, answers.active_ms[mine] >= 0),
            "times_the_video": _times_the_video(answers, mine),
            "weeks": [
                _of_week(answers, mine[week[mine] == number], int(number))
                for number in np.unique(week[mine])[-MOST_WEEKS:]
            ],
        }


def _left(answers: FirstAnswers, mine: Index, question: int) -> dict[str, Any]:
    """Return how often the left video was chosen, without ties, with an exact interval."""
    choices = answers.choices[mine, question]
    left = int((choices == answers.left[mine]).sum())
    bias = side_bias(left, int((choices != 1).sum()) - left)
    return {"count": bias.left, "of": bias.choices, "share": bias.share, "low": bias.low, "high": bias.high}


def _times_the_video(answers: FirstAnswers, mine: Index) -> float | None:
    """Return the median of active time over the length of the longer video."""
    active, video = answers.active_ms[mine], answers.video_ms[mine]
    return _median(active / np.maximum(video, 1), (active >= 0) & (video > 0))


def _median(values: Any, known: Flags) -> float | None:
    return round(float(np.median(values[known])), 2) if known.any() else None


def _of_week(answers: FirstAnswers, mine: Index, week: int) -> dict[str, Any]:
    return {
        "week": week_name(week),
        "answers": len(mine),
        "seconds": _median(answers.active_ms[mine] / 1000, answers.active_ms[mine] >= 0),
        "left": _left(answers, mine, HELPFULNESS),
        "tagged": share((answers.tags[mine] > 0).any(axis=1).sum(), len(mine)),
    }


def _add_beside_others(people: dict[int, Figures], answers: FirstAnswers, together: Judgements) -> None:
    """Add how many tags a person gives, beside what others give on the same pairs, and how often they agree."""
    _, unit, size = np.unique(together.pair, return_inverse=True, return_counts=True)
    unit = unit.reshape(-1)
    others = size[unit] - 1
    tags = popcount(together.tags).sum(axis=1)
    of_others = (np.bincount(unit, tags, minlength=len(size))[unit] - tags) / np.maximum(others, 1)
    choices = together.choices[:, HELPFULNESS]
    same = np.zeros(len(unit))
    for value in range(3):
        alike = np.bincount(unit[choices == value], minlength=len(size))[unit]
        same += np.where(choices == value, alike - 1, 0)
    shared = others > 0
    keys, person = np.unique(together.person[shared], return_inverse=True)

    def mean(values: Any) -> Any:
        return np.bincount(person, values[shared]) / np.bincount(person)

    own_mean, others_mean, agreeing = mean(tags), mean(of_others), mean(same / np.maximum(others, 1))
    for place, key in enumerate(keys.tolist()):
        if key in people:
            people[key]["beside_others"] = {
                "pairs": int((person == place).sum()),
                "tags": round(float(own_mean[place]), 4),
                "tags_of_others": round(float(others_mean[place]), 4),
                "same_helpfulness": round(float(agreeing[place]), 4),
            }


def _add_reviews(people: dict[int, Figures], blind: BlindReviews, counts: dict[int, tuple[int, int, int, int]]) -> None:
    """Add how often a blind reviewer answered the same, the defects among judged answers, and the first pass."""
    same = blind.choices == blind.reviewers_choices
    safe = ((blind.tags > 0) == (blind.reviewers_tags > 0)).all(axis=1)
    for key, figures in people.items():
        mine = blind.person == key
        of = int(mine.sum())
        figures["blind"] = {
            question: share(same[mine, place].sum(), of) for place, question in enumerate(QUESTIONS)
        } | {"safe": share(safe[mine].sum(), of)}
        reviewed, defects, first, passed = counts.get(key, (0, 0, 0, 0))
        figures["defects"], figures["first_pass"] = share(defects, reviewed), share(passed, first)


def _of_questions(together: Judgements, ties: bool, advance: Callable[[], None]) -> dict[str, dict[int, Any]]:
    """Return for each question the reliability of each person who has one."""
    found: dict[str, dict[int, Any]] = {}
    for place, key in enumerate(QUESTIONS):
        values = together.choices[:, place] if ties else together.choices[:, place] // 2
        found[key] = _named(people_figures(together.pair, together.person, values, 3 if ties else 2, both_orders=True))
        advance()
    return found


def _of_tags(together: Judgements, advance: Callable[[], None]) -> dict[str, dict[int, Any]]:
    """Return for each tag with enough answers the reliability of each person who has one."""
    found: dict[str, dict[int, Any]] = {}
    unit = np.concatenate([2 * together.pair, 2 * together.pair + 1])
    person = np.concatenate([together.person, together.person])
    masks = np.concatenate([together.tags[:, 0], together.tags[:, 1]])
    _, place_of, size = np.unique(unit, return_inverse=True, return_counts=True)
    shared = size[place_of.reshape(-1)] > 1
    for bit, key in enumerate(HARM_KEYS):
        given = (masks >> bit) & 1
        if given[shared].sum() >= FEWEST_POSITIVES:
            found[key] = _named(people_figures(unit[shared], person[shared], given[shared], 2))
        advance()
    return found


def _named(found: dict[int, tuple[float, int]] | NotDefined) -> dict[int, Any]:
    if isinstance(found, NotDefined):
        return {}
    return {key: {"value": round(value, 4), "answers": number} for key, (value, number) in found.items()}
