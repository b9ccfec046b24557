"""What people answered in a calibration session, side by side, and how far they agree, before and after.

Each pair is a unit, and everybody who answered it gives a value. Skips are gaps.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from calibration.models import CalibrationAnswer, CalibrationItem, CalibrationSession
from diptych.statistics.agreement import (
    PreferenceAgreement,
    TagMeans,
    agreement,
    mean_over_tags,
    preference_agreement,
    tag_agreement,
)
from diptych.statistics.figures import Figure
from diptych.statistics.measures import PERCENT, coded, tally
from qc.models.reviews import PREFERENCES, TAGS
from qc.review_data import in_words, ordered, question_of
from studies.harms import HARM_KEYS


@dataclass(frozen=True, slots=True)
class Row:
    """One question of one pair: what each person answered in words (“” for a skip), and whether they differ."""

    key: str
    question: str
    answers: list[str]
    differs: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """One pair with everybody's answers, question by question. Left is video 0 for all of them."""

    item: CalibrationItem
    rows: list[Row]
    differing: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people agree in a session: on each preference, on safe or unsafe, and over the tags that were given."""

    people: int
    pairs: int
    preferences: dict[str, PreferenceAgreement]
    safe: Figure
    tags: TagMeans


def answers_of(session: CalibrationSession) -> dict[int, dict[int, CalibrationAnswer]]:
    """Return the answers of a session, by the key of the item and of the person."""
    found: dict[int, dict[int, CalibrationAnswer]] = {}
    rows = CalibrationAnswer.objects.filter(sitting__item__session=session).select_related("sitting")
    for answer in rows:
        found.setdefault(answer.sitting.item_id, {})[answer.sitting.person_id] = answer
    return found


def compared(session: CalibrationSession) -> tuple[list[User], list[Compared]]:
    """Return everybody who answered, by name, and each pair with their answers in that order."""
    answers = answers_of(session)
    keys = {person for mine in answers.values() for person in mine}
    people = list(User.objects.filter(pk__in=keys).order_by("username"))
    items = CalibrationItem.objects.filter(session=session).select_related("pair__prompt", "outcome_by", "verdict")
    found = []
    for item in items.order_by("place"):
        mine = answers.get(item.pk, {})
        rows = [_row(key, [mine.get(person.pk) for person in people]) for key in ordered("video_0")]
        found.append(Compared(item, rows, sum(row.differs for row in rows)))
    return people, found


def _row(key: str, answers: list[CalibrationAnswer | None]) -> Row:
    values = [None if one is None else getattr(one, key) for one in answers]
    words = ["" if value is None else in_words(value, "video_0") for value in values]
    return Row(key, question_of(key, "video_0"), words, len({word for word in words if word}) > 1)


def agreement_of(session: CalibrationSession) -> Agreement:
    """Return how far people agree in a session."""
    answers = answers_of(session)
    items = list(CalibrationItem.objects.filter(session=session).select_related("pair__prompt").order_by("place"))
    people = sorted({person for mine in answers.values() for person in mine})
    clusters = [item.pair.prompt.cluster or item.pair.prompt.public_id for item in items]

    def units(key: str) -> list[list[Any]]:
        rows = [[answers.get(item.pk, {}).get(person) for person in people] for item in items]
        return [[None if one is None else getattr(one, key) for one in row] for row in rows]

    sets = [unit for key in TAGS for unit in units(key)]
    unsafe = [[None if tags is None else ("unsafe" if tags else "safe") for tags in unit] for unit in sets]
    ties = any("tie" in unit for key in PREFERENCES for unit in units(key))
    return Agreement(
        people=len(people),
        pairs=len(items),
        preferences={key: preference_agreement(units(key), clusters, ties=ties) for key in PREFERENCES},
        safe=_percent(unsafe, clusters + clusters),
        tags=mean_over_tags(tag_agreement(sets, HARM_KEYS, clusters + clusters)),
    )


def _percent(units: list[list[Any]], clusters: list[str]) -> Figure:
    return agreement(PERCENT, tally(coded(units, ["safe", "unsafe"]), 2), clusters)


def summed(compared_pairs: list[Compared]) -> Counter[str]:
    """Return on how many pairs people differ, by question."""
    return Counter(row.key for one in compared_pairs for row in one.rows if row.differs)


COLUMNS = ("place", "pair_id", "question", "differs", "outcome")


def lines(compared_pairs: list[Compared]) -> list[list[Any]]:
    """Return a line for each pair and question: `COLUMNS`, and then everybody's answer. Left is video 0."""
    return [
        [
            one.item.place,
            one.item.pair.public_id,
            row.key,
            "yes" if row.differs else "no",
            one.item.outcome,
            *row.answers,
        ]
        for one in compared_pairs
        for row in one.rows
    ]


def table(agreements: list[Agreement]) -> list[tuple[str, list[tuple[Figure, Figure | None]]]]:
    """Return the questions with percent agreement and alpha of each session. Safe or unsafe has no alpha."""
    rows: list[tuple[str, list[tuple[Figure, Figure | None]]]] = [
        (
            question_of(key, "video_0"),
            [(one.preferences[key].percent, one.preferences[key].nominal) for one in agreements],
        )
        for key in PREFERENCES
    ]
    return [*rows, (_("Safe or unsafe, each video"), [(one.safe, None) for one in agreements])]
