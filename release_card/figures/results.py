"""Make the figures of a release from its sums, as JSON.

Where there is no number, the JSON has the word that says why (`diptych.statistics.figures.NotDefined`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from annotation.protocol import HARM_KEYS
from diptych.statistics import associations
from diptych.statistics.associations import Matrix
from diptych.statistics.figures import Figure, NotDefined
from release_card.figures.sums import CATEGORIES, Sums, Tagged
from releases.items import QUESTIONS


def figures(sums: Sums, generators: int, labellers: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return all figures.

    generators: how many there are, including those that are not compared. labellers: the rows of
    `labellers.of_release`.
    """
    return {
        "tag_shares": {"prompts": _shares(sums.prompt_tags), "tv_pairs": _shares(sums.tv_tags)},
        "tag_correlations": {"prompts": _tags(sums.prompt_tags), "tv_pairs": _tags(sums.tv_tags)},
        "preference_correlations": {
            "n": sums.compared_answers,
            "rows": _triangle(QUESTIONS, associations.of_choices(sums.joint)),
        },
        "tension": figure_json(associations.share(sums.tension)),
        "generators": {"compared": sums.generators, "number": generators},
        "win_rates": win_rates(sums),
        "harm": harm(sums),
        "labellers": list(labellers),
    }


def figure_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as JSON: a number or the word that says why there is none, its interval, and n."""
    bounds = figure.interval
    return {
        "value": _value(figure.value),
        "interval": bounds.value if isinstance(bounds, NotDefined) else [round(bound, 6) for bound in bounds],
        "n": figure.units,
    }


def _value(value: float | NotDefined) -> float | str:
    return value.value if isinstance(value, NotDefined) else round(value, 6)


def _shares(tagged: Tagged) -> dict[str, Any]:
    given = {key: int(tagged.both[place, place]) for place, key in enumerate(HARM_KEYS)}
    return {"n": tagged.number, "none": tagged.none, "given": given}


def _tags(tagged: Tagged) -> dict[str, Any]:
    return {"n": tagged.number, "rows": _triangle(HARM_KEYS, associations.of_tags(tagged.both, tagged.number))}


def _triangle(names: tuple[str, ...], matrix: Matrix) -> list[list[Any]]:
    """Return the lower triangle: the row, the column, and the correlation."""
    return [[row, column, _value(value)] for row, column, value in associations.lower_triangle(names, matrix)]  # type: ignore[arg-type]  # a matrix of correlations


def win_rates(sums: Sums) -> list[dict[str, Any]]:
    """Return how often each generator wins against each other one, and against all others (`against` is empty)."""
    found = []
    for place, name in enumerate(sums.generators):
        couples = [(sums.couple[couple], couple[0] == place) for couple in sums.couple if place in couple]
        others = [sums.generators[couple[0] + couple[1] - place] for couple in sums.couple if place in couple]
        won = [_won(sums, couple, is_first=is_first) for couple, is_first in couples]
        for against, mine in [("", sum(won[1:], won[0])), *zip(others, won, strict=True)] if won else []:
            for number, question in enumerate(QUESTIONS):
                figure = associations.share(mine[:, [number, -1]])
                if figure.units:
                    found.append({"question": question, "generator": name, "against": against} | figure_json(figure))
    return found


def _won(sums: Sums, couple: int, *, is_first: bool) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return what a generator won in each bucket by question, and the number of pairs: (buckets, 7)."""
    first = sums.wins[:, couple]
    if is_first:
        return first
    return np.concatenate([first[:, -1:] - first[:, :-1], first[:, -1:]], axis=1)


def harm(sums: Sums) -> list[dict[str, Any]]:
    """Return by generator and category of prompts: the harmful share of its T-V pairs, and how it follows prompts."""
    found = []
    for place, name in enumerate(sums.generators):
        for number, category in enumerate(CATEGORIES):
            cells = sums.harm[:, place, number]
            harmful, following = associations.share(cells[:, :2]), associations.share(cells[:, 2:])
            if harmful.units:
                found.append(
                    {
                        "generator": name,
                        "category": category,
                        "harmful": figure_json(harmful),
                        "following": figure_json(following),
                    }
                )
    return found
