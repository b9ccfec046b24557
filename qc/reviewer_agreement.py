"""How far reviewers agree: the blind answers of two reviewers to the same pairs, pooled over a study.

A pair that chance drew stands for ten, and a pair with a defect for itself. Without these weights, reviewers would seem
to agree less than they do, because defects are found where it is hard to agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from answers.words import QUESTIONS
from diptych.database.fixed import fetch_all
from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from diptych.statistics.figures import Figure, NotDefined
from qc.models import ReviewAnswer, SecondBlind
from qc.models.reviews import PREFERENCES, TAGS
from qc.second_blind import SHARE
from studies.models import Study

#: With fewer pairs no agreement is shown.
FEWEST = 100


@dataclass(frozen=True, slots=True)
class RowAgreement:
    """How often two reviewers give the same answer on one row. `row` is a question, `safe`, or `tags`."""

    row: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class ReviewerAgreement:
    """How far reviewers agree in a study. `rows` is empty while fewer than `FEWEST` pairs are done.

    done, waiting: pairs that have a second blind answer, and pairs that still wait for one. defects: how many of the
    done ones have a confirmed defect.
    """

    done: int
    waiting: int
    defects: int
    rows: tuple[RowAgreement, ...] = ()

    @property
    def is_enough(self) -> bool:
        return self.done >= FEWEST


#: What is compared: the preferences, whether each video is safe, and the whole sets of tags. The last two are means
#: over both videos of a pair.
COMPARED = (*PREFERENCES, "safe", "tags")
_SAME = {
    **{row: f"(first.{row} = second.{row})::int" for row in PREFERENCES},
    "safe": " + ".join(f"((first.{tags} = '{{}}') = (second.{tags} = '{{}}'))::int / 2.0" for tags in TAGS),
    "tags": " + ".join(
        f"(first.{tags} @> second.{tags} AND first.{tags} <@ second.{tags})::int / 2.0" for tags in TAGS
    ),
}
#: Clusters of prompts are put together at random into at most so many groups, so that a million answers take no longer
#: than a thousand. Groups of clusters vary as independently as clusters do.
GROUPS = 1024
_WEIGHT = f"CASE WHEN drawn.defect THEN 1 ELSE 1 / {SHARE} END"
_SUMS = f"""
SELECT {", ".join(f"sum({_WEIGHT} * ({same}))::float8" for same in _SAME.values())}, sum({_WEIGHT})::float8
  FROM qc_secondblind drawn
  JOIN qc_reviewanswer first ON first.id = drawn.first_id
  JOIN qc_reviewanswer second ON second.id = drawn.second_id
  JOIN catalog_pair pair ON pair.id = drawn.pair_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
 WHERE drawn.study_id = %(study)s AND drawn.second_id IS NOT NULL
 GROUP BY hashtext(coalesce(nullif(prompt.cluster, ''), prompt.id::text)) & {GROUPS - 1}
"""  # noqa: S608 - of constants


def done(study: Study) -> QuerySet[SecondBlind]:
    """Return the drawn pairs that have both answers, in the order in which they were drawn."""
    return SecondBlind.objects.filter(study=study, second__isnull=False).order_by("pk")


def reviewer_agreement(study: Study, *, fewest: int | None = None) -> ReviewerAgreement:
    """Return how far the blind answers of two reviewers agree, weighted by how the pairs were drawn."""
    counts = SecondBlind.objects.filter(study=study).aggregate(
        done=Count("second"), waiting=Count("pk", filter=Q(second=None)), defects=Count("second", filter=Q(defect=True))
    )
    found = ReviewerAgreement(**counts)
    if found.done < (FEWEST if fewest is None else fewest):
        return found
    from qc import agreement_rates  # it loads numpy, which a web process needs here only

    figures = agreement_rates.figures(fetch_all(_SUMS, {"study": study.pk}), found.done)
    rows = tuple(RowAgreement(row, figure) for row, figure in zip(COMPARED, figures, strict=True))
    return replace(found, rows=rows)


# --- The rows behind the figures --------------------------------------------------------------------------------

SAFE, ALL_TAGS = "safe", "tags"
#: The compared rows in words, in the order of the page.
ROW_NAMES: dict[str, str | Promise] = {
    **{row: QUESTIONS[row] for row in PREFERENCES},
    SAFE: _("Safe or unsafe"),
    ALL_TAGS: _("All tags of a video"),
}


def _differ_on(row: str) -> Q:
    """Return the condition for pairs whose two answers differ on a row."""
    if row in PREFERENCES:
        return ~Q(**{f"first__{row}": F(f"second__{row}")})
    if row == ALL_TAGS:
        same = [
            Q(
                **{
                    f"first__{tags}__contains": F(f"second__{tags}"),
                    f"first__{tags}__contained_by": F(f"second__{tags}"),
                }
            )
            for tags in TAGS
        ]
        return reduce(or_, [~one for one in same])
    return reduce(
        or_,
        [
            Q(**{f"{one}__{tags}": []}) & ~Q(**{f"{other}__{tags}": []})
            for tags in TAGS
            for one, other in (("first", "second"), ("second", "first"))
        ],
    )


def compared(study: Study, *, differing: str = "") -> QuerySet[SecondBlind]:
    """Return the pairs with both answers, with what a list shows. `differing`: only those that differ on this row."""
    rows = done(study).select_related("lot", "pair", "first", "second")
    return rows.filter(_differ_on(differing)) if differing else rows


def differences(pair: SecondBlind) -> list[str]:
    """Return the rows on which the two answers to a pair with both of them differ."""
    one, other = pair.first, pair.second
    assert other is not None  # noqa: S101 - `done` returns no others
    found = [row for row in PREFERENCES if getattr(one, row) != getattr(other, row)]
    sets = [(_tags(one, row), _tags(other, row)) for row in TAGS]
    found += [SAFE] if any(bool(mine) != bool(theirs) for mine, theirs in sets) else []
    return found + ([ALL_TAGS] if any(mine != theirs for mine, theirs in sets) else [])


def _tags(answer: ReviewAnswer, row: str) -> set[str]:
    return set(getattr(answer, row))


COLUMNS = ("pair_id", "lot", "drawn_because", "stands_for", "differs_on")


def copy_as_csv(rows: QuerySet[SecondBlind], target: CopyFile) -> None:
    """Write compared pairs to a CSV file for spreadsheets. Raise DatabaseError or OSError if that is impossible."""
    write_rows(COLUMNS, _lines(rows), target)


def _lines(rows: QuerySet[SecondBlind]) -> Iterator[list[Any]]:
    for one in rows.iterator(chunk_size=2000):
        why, weight = ("defect", 1) if one.defect else ("chance", round(1 / SHARE))
        yield [one.pair.public_id, one.lot.number, why, weight, " ".join(differences(one))]


def as_json(found: ReviewerAgreement) -> dict[str, Any]:
    """Return the agreement as JSON."""
    return {
        "done": found.done,
        "waiting": found.waiting,
        "defects": found.defects,
        "fewest": FEWEST,
        "rows": [
            {"compared": one.row, "share": one.figure.value, "interval": _bounds(one.figure)} for one in found.rows
        ],
    }


def _bounds(figure: Figure) -> tuple[float, float] | None:
    return None if isinstance(figure.interval, NotDefined) else figure.interval
