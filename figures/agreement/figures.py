"""The figures of agreement of a study, as JSON that is stored and shown later.

The arithmetic is in `diptych/statistics/`. Every figure has its interval from drawing clusters of prompts again.
Where there is no number, the JSON has the word that says why (`diptych.statistics.figures.NotDefined`).
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from annotation.protocol import HARM_KEYS
from diptych.statistics.agreement import mean_over_tags, preference_figures, tag_figures
from diptych.statistics.figures import Figure, NotDefined
from diptych.statistics.measures import GAP
from diptych.statistics.tag_sets import TagSetAgreement, set_figures
from figures.agreement.planned import QUESTIONS
from figures.agreement.sample import Answers, Flags, Index, Pairs, Units, answers_of, lots_of, pairs_of
from studies.models import Study

#: What answers are grouped by, in the order of the page.
DIMENSIONS = ("lot", "language", "prompt_type", "protocol_version", "week")
#: The most groups of one kind that get figures: the newest lots and weeks, and the largest of the others.
MOST_GROUPS = 100
_WEEK_S = 7 * 24 * 3600
#: The first Monday of 1970, in seconds.
_MONDAY_S = 4 * 24 * 3600
_NO_LOT = 0

Advance = Callable[[], None]


def compute(study: Study, begin: Callable[[int], None] = lambda total: None, advance: Advance = lambda: None) -> Any:
    """Return all figures of agreement of the study as JSON.

    begin: called once with the number of steps. advance: called after each step; it may raise to stop.
    """
    answers, pairs = answers_of(study), pairs_of(study)
    ties = study.allow_ties or answers.ties
    groups = {name: list(of(study, answers, pairs)) for name, of in _GROUPS.items()}
    begin(2 + sum(map(len, groups.values())))
    result: dict[str, Any] = {"ties": ties}
    for name, chosen in (("all", answers), ("valid", answers.where(answers.valid))):
        result[name] = whole(chosen, pairs, ties=ties)
        advance()
    result["groups"] = {}
    for name, found in groups.items():
        result["groups"][name] = []
        for label, wanted in found:
            result["groups"][name].append({"name": label} | brief(answers.where(wanted), pairs, ties=ties))
            advance()
    return result


def whole(answers: Answers, pairs: Pairs, *, ties: bool) -> dict[str, Any]:
    """Return everything about these answers: each question, each tag, and sets of tags."""
    units = Units.of(answers)
    clusters = _clusters(units, pairs)
    by_video = np.concatenate([clusters, clusters])
    masks = units.by_video(answers.tags)
    tags = [tag_figures(key, _has(masks, bit), by_video) for bit, key in enumerate(HARM_KEYS)]
    means = mean_over_tags(tags)
    return brief(answers, pairs, ties=ties) | {
        "clusters": len(np.unique(clusters)),
        "tags": [
            {
                "tag": one.tag,
                "given": one.given,
                "counts": {name: getattr(one.counts, name) for name in ("both", "first", "second", "neither")},
                **{name: figure_json(getattr(one, name)) for name in ("percent", "alpha", "ac1", "positive")},
            }
            for one in tags
        ],
        "means": {"tags": means.tags} | {name: _value(getattr(means, name)) for name in ("alpha", "ac1", "positive")},
    }


def brief(answers: Answers, pairs: Pairs, *, ties: bool) -> dict[str, Any]:
    """Return each question and sets of tags: what a group of answers gets."""
    units = Units.of(answers)
    clusters = _clusters(units, pairs)
    questions = {}
    for place, key in enumerate(QUESTIONS):
        codes = units.side_by_side(answers.choices[:, place] if ties else answers.choices[:, place] // 2)
        found = preference_figures(codes, clusters, ties=ties)
        questions[key] = {
            "percent": figure_json(found.percent),
            "alpha": figure_json(found.nominal),
            "ordinal": figure_json(found.ordinal) if found.ordinal else None,
        }
    sets = _tag_sets(units.by_video(answers.tags), np.concatenate([clusters, clusters]))
    several = np.bincount(units.place[:, 0], minlength=units.shape[0]) > 1 if len(answers) else np.zeros(0, dtype=bool)
    return {
        "pairs": int(several.sum()),
        "answers": int(np.bincount(units.place[:, 0], minlength=units.shape[0])[several].sum()) if len(answers) else 0,
        "questions": questions,
        "tag_sets": {
            "masi": figure_json(sets.masi),
            "masi_tagged": figure_json(sets.masi_tagged),
            "alpha": _value(sets.alpha),
        },
    }


def figure_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as JSON. Its value and its interval are numbers, or the word that says why there are none."""
    interval = figure.interval if isinstance(figure.interval, NotDefined) else [round(b, 6) for b in figure.interval]
    return {"value": _value(figure.value), "interval": interval, "units": figure.units, "answers": figure.answers}


def _value(value: float | NotDefined) -> float | str:
    return str(value) if isinstance(value, NotDefined) else round(value, 6)


def _clusters(units: Units, pairs: Pairs) -> Index:
    return pairs.cluster[pairs.places(units.pair)]


def _has(masks: Index, bit: int) -> Index:
    """Return whether each answer has a tag: 0 or 1, and -1 in gaps."""
    return np.where(masks == GAP, GAP, (masks >> bit) & 1)


def _tag_sets(masks: Index, clusters: Index) -> TagSetAgreement:
    answered = masks != GAP
    found, positions = np.unique(masks[answered], return_inverse=True)
    codes = np.full(masks.shape, GAP, dtype=np.int64)
    codes[answered] = positions.reshape(-1)
    sets = ((found[:, None] >> np.arange(len(HARM_KEYS))) & 1).astype(bool)
    return set_figures(codes, sets, clusters)


# --- Groups: a label in the JSON, and which answers belong to it ----------------------------------------------------

Groups = Iterator[tuple[Any, Flags]]


def _by_lot(study: Study, answers: Answers, pairs: Pairs) -> Groups:
    """By the latest lot of the batch of the pair. 0 stands for no lot."""
    lots = lots_of(study)
    batches, place = np.unique(pairs.batch, return_inverse=True)
    of_pair = np.array([lots.get(int(batch), _NO_LOT) for batch in batches], dtype=np.int64)[place.reshape(-1)]
    number = of_pair[pairs.places(answers.pair)] if len(answers) else np.zeros(0, dtype=np.int64)
    for lot in np.unique(number)[::-1][:MOST_GROUPS]:
        yield int(lot), number == lot


def _by_language(study: Study, answers: Answers, pairs: Pairs) -> Groups:
    return _largest(answers, pairs.language, pairs)


def _by_prompt_type(study: Study, answers: Answers, pairs: Pairs) -> Groups:
    return _largest(answers, pairs.prompt_type, pairs)


def _largest(answers: Answers, of_pair: Any, pairs: Pairs) -> Groups:
    if not len(answers):
        return
    of_answer = of_pair[pairs.places(answers.pair)]
    names, counts = np.unique(of_answer, return_counts=True)
    for name in sorted(names[np.argsort(-counts, kind="stable")][:MOST_GROUPS]):
        yield str(name), of_answer == name


def _by_version(study: Study, answers: Answers, pairs: Pairs) -> Groups:
    """By the version of the protocol under which an answer was given. Only answers of one version are compared."""
    for version in np.unique(answers.version)[-MOST_GROUPS:]:
        yield int(version), answers.version == version


def _by_week(study: Study, answers: Answers, pairs: Pairs) -> Groups:
    """By the week in which the last answer to the pair was given. Weeks begin on Monday, in UTC."""
    week = weeks_of(answers)
    for number in np.unique(week)[-MOST_GROUPS:]:
        yield week_name(int(number)), week == number


def weeks_of(answers: Answers) -> Index:
    """Return for each answer the week of the last answer to the same pair, as its number since 1970."""
    if not len(answers):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.diff(answers.pair, prepend=answers.pair[0] - 1))
    last = np.maximum.reduceat(answers.second, starts)
    return weeks_of_moments(np.repeat(last, np.diff(np.append(starts, len(answers)))))


def weeks_of_moments(seconds: Index) -> Index:
    """Return the week of each moment, as its number since 1970. Moments are seconds since then."""
    week: Index = (seconds - _MONDAY_S) // _WEEK_S
    return week


def week_name(number: int) -> str:
    """Return the Monday with which a week begins, as YYYY-MM-DD."""
    return (datetime.fromtimestamp(_MONDAY_S, UTC) + timedelta(weeks=number)).date().isoformat()


_GROUPS: dict[str, Callable[[Study, Answers, Pairs], Groups]] = {
    "lot": _by_lot,
    "language": _by_language,
    "prompt_type": _by_prompt_type,
    "protocol_version": _by_version,
    "week": _by_week,
}
