"""What the quality control of a simulated study found, beside what was planted.

A rate is covered if its interval contains the planted number of defects. The plan's operating curve says how many lots
should have been accepted, from the planted defects of each. Both suppose reviewers who see every defect, so the claims
also say how many they saw.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np

from annotation.models import Annotation
from diptych.statistics.rates import Rate, Shares, share_between
from qc import outcomes, quality
from qc.judging import DECIDING
from qc.models import FrameItem, Lot, Verdict
from simulation.draws import any_of_last
from simulation.reviewing import Reviewing

#: What intervals promise, and how improbable an outcome must be before it speaks against the operating curve.
CONFIDENCE, IMPROBABLE = 0.95, 0.01
RATES = ("before", "after", "released")


@dataclass(frozen=True, slots=True)
class LotTruth:
    """A decided lot and its planted truth.

    size, defects: of the answers from which the deciding sample was drawn. acceptance: what the operating curve says
    for so many defects. kind: good (AQL or less), bad (LTPD or more) or between. covered: by rate.
    """

    lot: Lot
    size: int
    defects: int
    acceptance: float
    kind: str
    covered: dict[str, bool]

    @property
    def accepted(self) -> bool:
        return self.lot.state == Lot.State.ACCEPTED


def review_claims(work: Reviewing) -> dict[str, Any]:
    """Return the claims about the reviews of a simulated study as JSON."""
    decided = Lot.objects.filter(study=work.work.study, state__in=["accepted", "returned"], drawn_at__isnull=False)
    known = [found for lot in decided.order_by("number") if (found := truth_of(work, lot))]
    return {
        "lots": len(known),
        "attempts": max((one.lot.attempt for one in known), default=0),
        "undecided": len(work.undecided),
        "coverage": {name: coverage([one.covered[name] for one in known]) for name in RATES},
        "accepted": {kind: against_curve([one for one in known if one.kind == kind]) for kind in KINDS},
        "defects": found_defects(work),
        "pooled": pooled(work, known),
        "by_lot": [as_json(one) for one in known],
    }


KINDS = ("good", "between", "bad")


def truth_of(work: Reviewing, lot: Lot) -> LotTruth | None:
    """Return a lot with its planted truth, or None if its samples are not judged."""
    figures = quality.quality_of(lot)
    if figures is None or not figures.complete:
        return None
    items = list(FrameItem.objects.filter(lot=lot))
    first = planted(work, [item.first_id for item in items])
    judged = [item for item in items if item.judged_id is not None]
    after = planted(work, [item.judged_id for item in judged])
    found = outcomes.defective_items(lot)
    remaining = sum(after[item.judged_id] for item in judged if item.pk not in found)
    defects = sum(after.values())
    terms = figures.plan.terms
    kind = "good" if defects <= terms.good_defects(len(judged)) else "between"
    kind = "bad" if defects >= terms.bad_defects(len(judged)) else kind
    numbers = {"before": sum(first.values()), "after": defects, "released": remaining}
    covered = {name: covers(getattr(figures, name), numbers[name]) for name in RATES}
    return LotTruth(lot, len(judged), defects, figures.plan.acceptance(defects), kind, covered)


def planted(work: Reviewing, keys: Sequence[int | None]) -> dict[int | None, bool]:
    """Return whether each of these revisions has a planted defect, by its key."""
    revisions = list(
        Annotation.objects.filter(pk__in=[key for key in keys if key is not None]).select_related("assignment")
    )
    real = any_of_last(work.real(work.table(revisions)))
    return {one.pk: bool(defect) for one, defect in zip(revisions, real, strict=True)}


def covers(rate: Rate | None, number: int) -> bool:
    return rate is not None and rate.low <= number <= rate.high


def coverage(hits: Sequence[bool]) -> dict[str, Any]:
    """Return how many intervals contain the truth. The claim holds if the promised 95 % are compatible with it."""
    low, high = share_between(sum(hits), len(hits))
    share = round(sum(hits) / len(hits), 4) if hits else None
    return {
        "share": share,
        "of": len(hits),
        "low": round(low, 4),
        "high": round(high, 4),
        "aim": f"≥ {CONFIDENCE:g}",
        "holds": high >= CONFIDENCE,
    }


def against_curve(known: Sequence[LotTruth]) -> dict[str, Any]:
    """Return how many lots were accepted, and how many should have been by the operating curve.

    probability: how probable a number is that is at least as far from the expected one.
    """
    accepted, chances = sum(one.accepted for one in known), [one.acceptance for one in known]
    probability = as_far(accepted, chances)
    return {
        "lots": len(known),
        "accepted": accepted,
        "expected": round(fsum(chances), 2),
        "probability": round(probability, 4),
        "aim": f"probability ≥ {IMPROBABLE:g}",
        "holds": probability >= IMPROBABLE,
    }


def as_far(hits: int, chances: Sequence[float]) -> float:
    """Return how probable it is that independent events with these chances give a number as improbable as `hits`."""
    distribution = np.ones(1)
    for chance in chances:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return float(distribution[distribution <= distribution[hits] * (1 + 1e-9)].sum())


def found_defects(work: Reviewing) -> dict[str, Any]:
    """Return how many planted defects the reviews saw, and how many of what was called and confirmed are planted.

    Each answer that a reviewer judged counts once for each review of it. `called` waits for a second person, or
    waited; `confirmed` counts as a defect.
    """
    reviewed: dict[tuple[int, int], set[str]] = {}
    for review, revision, item, kind in _judged(work):
        reviewed.setdefault((review, revision), set()).update({kind, str(item)})
    called, confirmed = _said(work)
    real = planted(work, sorted({revision for _review, revision in reviewed}))
    planted_keys = {key for key in reviewed if real[key[1]]}
    return {
        "judged": len(reviewed),
        "planted": len(planted_keys),
        "called": _matched(called & reviewed.keys(), planted_keys),
        "confirmed": _matched(confirmed & reviewed.keys(), planted_keys),
    }


def _judged(work: Reviewing) -> Iterable[tuple[int, int, int, str]]:
    """Return review, revision, item and kind of everything that reviewers judged.

    Of a secondary review it is the revision that was current then: the last one before the review ended.
    """
    rows = FrameItem.objects.filter(lot__study=work.work.study, reviews__state="submitted")
    columns = ("reviews__pk", "reviews__kind", "reviews__ended_at", "pk", "assignment", "first", "judged", "place")
    last: dict[int, list[tuple[Any, int]]] = {}
    for key, made, assignment in (
        Annotation.objects.filter(study=work.work.study)
        .order_by("revision")
        .values_list("pk", "submitted_at", "assignment")
    ):
        last.setdefault(assignment, []).append((made, key))
    sizes = dict(Lot.objects.filter(study=work.work.study).values_list("pk", "sample_size"))
    for review, kind, ended, item, assignment, first, judged, place, lot, sample in rows.values_list(
        *columns, "lot", "sample_place"
    ):
        if kind == "spot":
            if sample is not None:
                yield review, judged, item, kind
            if place <= (sizes[lot] or 0) and (sample is None or first != judged):
                yield review, first, item, kind
        elif kind == "secondary":
            before = [key for made, key in last[assignment] if made < ended]
            yield review, before[-1], item, kind


def _said(work: Reviewing) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Return which reviews of which revisions called a defect, and which of these a second person confirmed."""
    rows = Verdict.objects.filter(study=work.work.study, row__in=DECIDING, withdrawn_at=None)
    waited = rows.filter(confirmed_at__isnull=False) | rows.exclude(waits_for="")
    return set(waited.values_list("review", "annotation")), set(
        rows.filter(counts=True).values_list("review", "annotation")
    )


def _matched(said: set[tuple[int, int]], real: set[tuple[int, int]]) -> dict[str, Any]:
    """Return how much of what is real was said, and how much of what was said is real."""
    both = len(said & real)
    return {
        "said": len(said),
        "real": both,
        "of_planted": round(both / len(real), 4) if real else None,
        "wrong": round(1 - both / len(said), 4) if said else None,
    }


def pooled(work: Reviewing, known: Sequence[LotTruth]) -> dict[str, Any]:
    """Return the pooled rate of accepted lots beside the planted share."""
    shares = quality.of_study(work.work.study).pooled.after
    accepted = [one for one in known if one.accepted]
    size, defects = sum(one.size for one in accepted), sum(one.defects for one in accepted)
    true = defects / size if size else None
    return {"planted": _rounded(true)} | _shares(shares, true)


def _shares(shares: Shares | None, true: float | None) -> dict[str, Any]:
    if shares is None or true is None:
        return {"estimate": None, "low": None, "high": None, "covers": None}
    return {
        "estimate": _rounded(shares.estimate),
        "low": _rounded(shares.low),
        "high": _rounded(shares.high),
        "covers": shares.low <= true <= shares.high,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def as_json(one: LotTruth) -> dict[str, Any]:
    return {
        "number": one.lot.number,
        "attempt": one.lot.attempt,
        "size": one.size,
        "sample": one.lot.sample_size,
        "planted": one.defects,
        "kind": one.kind,
        "state": one.lot.state,
        "acceptance": round(one.acceptance, 4),
        "covered": one.covered,
    }


def summary(found: dict[str, Any]) -> list[str]:
    """Return the claims in a few lines."""
    rates = " · ".join(f"{name} {of['share']:.0%}" for name, of in found["coverage"].items() if of["share"] is not None)
    lots = " · ".join(
        f"{kind}: {of['accepted']} of {of['lots']} accepted, {of['expected']:g} expected"
        for kind, of in found["accepted"].items()
    )
    defects, confirmed = found["defects"], found["defects"]["confirmed"]
    return [
        f"lots: {found['lots']} decided, {found['undecided']} undecided, up to {found['attempts']} attempts",
        f"intervals that contain the planted defects: {rates}",
        f"lots by planted defects: {lots}",
        f"defects: {defects['planted']} planted in what was judged, {confirmed['real']} confirmed, and "
        f"{confirmed['said'] - confirmed['real']} confirmed that are none",
    ]
