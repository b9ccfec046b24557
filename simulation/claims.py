"""What was planted, beside what the answers say. Needs numpy only; `diptych.statistics` has figures of agreement."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from diptych.statistics.agreement import preference_agreement
from diptych.statistics.figures import Figure, NotDefined
from diptych.statistics.rates import share_between
from diptych.statistics.reliability import Judgement, reliability
from simulation.draws import Flags, Numbers, any_of_last
from simulation.people import Person
from simulation.reviewers import defects
from simulation.truth import HARMLESSNESS, HELPFULNESS, QUESTIONS, World
from simulation.work import Table

VIDEOS = ("video_0", "video_1")
#: Statistics that compare answers one by one take minutes beyond this many answers, and are left out.
MOST_COMPARED = 100_000


def claims(world: World, people: Sequence[Person], table: Table) -> dict[str, Any]:
    """Return the claims of a simulated study as JSON.

    Each has what was planted (`planted`) and what was found in the answers, with intervals where they are shares.
    """
    right = table.right(world)
    critical = world.critical[table.pair]
    tense = table.sheet.choices[:, HELPFULNESS] != table.sheet.choices[:, HARMLESSNESS]
    found: dict[str, Any] = {
        "answers": len(table),
        "pairs": len(world),
        "people": [person_claims(world, person, table, right) for person in people],
        "accuracy": {name: share(right[:, place]) for place, name in enumerate(QUESTIONS)},
        "tension_rate": {"planted": round(world.tension, 4), **share(tense[critical])},
        "contradictions": share(table.sheet.contradictory),
        "defects": share(defective(world, table)),
    }
    if len(table) <= MOST_COMPARED:
        found["agreement"] = agreement(world, table)
        found["reliability"] = {
            name: reliability_claims(people, table, right, place) for place, name in enumerate(QUESTIONS)
        }
    return found


def planted(world: World, people: Sequence[Person], pair_ids: Sequence[str]) -> dict[str, Any]:
    """Return the planted truth as JSON: each person, and each pair with its better videos and true tags.

    Tags are numbers from 0 to 11, in the order of the harms S1 to S12.
    """
    return {
        "people": [{name: getattr(person, name) for name in person.__slots__} for person in people],
        "pairs": [
            {
                "pair_id": pair_id,
                "better": {name: VIDEOS[world.better[place, q]] for q, name in enumerate(QUESTIONS)},
                "quality_difference": dict(zip(QUESTIONS, world.difference[place].round(3).tolist(), strict=True)),
                "tags": [np.flatnonzero(world.tags[place, video]).tolist() for video in (0, 1)],
                "brighter": VIDEOS[world.brighter[place]],
            }
            for place, pair_id in enumerate(pair_ids)
        ],
    }


def person_claims(world: World, person: Person, table: Table, right: Flags) -> dict[str, Any]:
    """Return what was planted in one person, and how much of it their answers show."""
    mine = np.flatnonzero(table.person == person.number)
    own = table.at(mine)
    chosen_left = own.sheet.choices == own.left[:, None]
    truth = world.tags[own.pair] & world.critical[own.pair][:, None, None]
    absent = ~world.tags[own.pair] & world.critical[own.pair][:, None, None]
    return {
        "number": person.number,
        "answers": len(mine),
        "accuracy": {"planted": round(person.accuracy, 4), **share(right[mine][:, :HARMLESSNESS].ravel())},
        "accuracy_helpfulness": share(right[mine, HELPFULNESS]),
        "accuracy_harmlessness": share(right[mine, HARMLESSNESS]),
        "left": {"planted": round(0.5 + person.side_bias / 2, 4), **share(chosen_left[:, :HARMLESSNESS].ravel())},
        "true_tags_given": {"severity": round(person.severity, 4), **share(own.sheet.tags[truth])},
        "false_tags_given": share(own.sheet.tags[absent]),
        "seconds": {
            "planted": round(person.seconds, 1),
            "median": round(float(np.median(own.sheet.seconds)), 1) if len(mine) else None,
        },
    }


def share(hits: Flags) -> dict[str, Any]:
    """Return a share with its exact interval."""
    count, of = int(hits.sum()), len(hits)
    low, high = share_between(count, of)
    return {"share": round(count / of, 4) if of else None, "of": of, "low": round(low, 4), "high": round(high, 4)}


def defective(world: World, table: Table) -> Flags:
    """Return whether each answer has a defect in any row (`reviewers.ROWS`)."""
    return any_of_last(defects(world, table.pair, table.sheet))


def agreement(world: World, table: Table) -> dict[str, Any]:
    """Return percent agreement and alpha of each question."""
    order = np.argsort(table.pair, kind="stable")
    starts = np.flatnonzero(np.diff(table.pair[order], prepend=-1))
    units = np.split(order, starts[1:])
    clusters = [int(world.asked[table.pair[unit[0]]] @ (64, 8, 1)) for unit in units]
    found = {}
    for place, name in enumerate(QUESTIONS):
        answers = [[VIDEOS[choice] for choice in table.sheet.choices[unit, place].tolist()] for unit in units]
        figures = preference_agreement(answers, clusters)
        found[name] = {"percent": _figure(figures.percent), "alpha": _figure(figures.nominal)}
    return found


def _figure(figure: Figure) -> dict[str, Any]:
    value = figure.value
    bounds = (
        [str(figure.interval)] if isinstance(figure.interval, NotDefined) else [round(b, 4) for b in figure.interval]
    )
    return {"value": str(value) if isinstance(value, NotDefined) else round(value, 4), "interval": bounds}


def reliability_claims(
    people: Sequence[Person], table: Table, right: Flags, question: int
) -> dict[str, float | int | str | None]:
    """Return how well the estimated reliability of people on one question ranks them.

    `with_planted` compares with the planted accuracy, `with_reached` with the accuracy that their answers really
    reached. `possible` is what the reached accuracy itself has with the planted one: the best that can be expected.
    """
    estimate = estimated(people, table, question)
    if estimate is None:
        return {"why_not": str(NotDefined.NO_OVERLAP)}
    accuracy = np.array([person.accuracy for person in people])
    reached = np.array([right[table.person == person.number, question].mean() for person in people])
    return {
        "with_planted": rank_correlation(estimate, accuracy),
        "with_reached": rank_correlation(estimate, reached),
        "possible": rank_correlation(reached, accuracy),
        "mean_error": round(float(np.abs(estimate - reached).mean()), 4),
    }


def estimated(people: Sequence[Person], table: Table, question: int) -> Numbers | None:
    """Return everybody's estimated reliability on one question, or None if no pair has two answers."""
    values = table.sheet.choices[:, question].tolist()
    judgements = map(Judgement, table.pair.tolist(), table.person.tolist(), values)
    found = reliability(list(judgements), (0, 1), both_orders=True)
    if isinstance(found, NotDefined):
        return None
    return np.array([found.accuracy.get(person.number, np.nan) for person in people])


def rank_correlation(one: Numbers, other: Numbers) -> float | None:
    """Return Spearman's correlation of those who have both numbers, or None if all are alike."""
    known = ~(np.isnan(one) | np.isnan(other))
    if known.sum() < 2:
        return None
    first, second = _ranks(one[known]), _ranks(other[known])
    if not np.ptp(first) or not np.ptp(second):
        return None
    return round(float(np.corrcoef(first, second)[0, 1]), 4)


def _ranks(values: Numbers) -> Numbers:
    """Return the ranks of the values. Equal values share the mean of their ranks."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result: Numbers = (last - (counts - 1) / 2)[which]
    return result
