"""The quality of a lot: what its samples show, with exact intervals, and what its plan says.

Three rates, each of the defects among the answers: *before* any review (revision 1 of the first n of the order),
*after* the secondary review (the deciding sample), and *released* (after, without the defects that were found). No rate
is shown before the whole sample is judged: the answers that were judged first would not be a random sample.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from diptych.statistics import rates
from diptych.statistics.acceptance import Outcome, Plan
from diptych.statistics.rates import Pooled, Rate, Sample
from qc import outcomes, plans
from qc.judgements import Counts, counts_of
from qc.models import Lot, LotBatch, LotDecision
from studies.models import Study


@dataclass(frozen=True, slots=True)
class Quality:
    """The figures of a lot whose deciding sample is drawn.

    plan: n, c and the risks. deciding, first: counts of the two samples. by_batch: counts of the deciding sample for
    each batch, by its key. sizes: how many of the N answers each batch has.
    """

    lot: Lot
    plan: Plan
    deciding: Counts
    first: Counts
    by_batch: dict[int, Counts]
    sizes: dict[int, int]

    def batch_rate(self, batch: int) -> Rate | None:
        """Return the defects of one batch, whose part of the sample is random too. None until all is judged."""
        counts = self.by_batch.get(batch)
        return rates.lot_rate(counts.sample_of(self.sizes[batch])) if counts and self.complete else None

    @property
    def complete(self) -> bool:
        """Return whether both samples are judged, so that rates can be shown."""
        return self.deciding.complete and self.first.complete

    @property
    def outcome(self) -> Outcome:
        """Return what the plan decides now. Only a return can come before the whole sample is judged."""
        counts = self.deciding
        said = self.plan.outcome(counts.defects, counts.drawn - counts.judged)
        return Outcome.OPEN if said == Outcome.ACCEPT and not counts.complete else said

    @property
    def early(self) -> bool:
        """Return whether the plan decides for a return although answers are still to be judged."""
        return self.outcome == Outcome.RETURN and not self.deciding.complete

    @property
    def dispute_decides(self) -> bool:
        """Return whether an adjudicator must decide a dispute first, because it could change the outcome."""
        return self.outcome == Outcome.OPEN and self.deciding.disputed > 0

    @property
    def before(self) -> Rate | None:
        """Return the defects of the whole frame as it was first submitted, or None until the samples are judged."""
        return rates.lot_rate(self.first.sample_of(self.lot.frame_size or 0)) if self.complete else None

    @property
    def after(self) -> Rate | None:
        """Return the defects among the N answers after the secondary review, or None until the samples are judged."""
        return rates.lot_rate(self.deciding.sample_of(self.plan.size)) if self.complete else None

    @property
    def released(self) -> Rate | None:
        """Return the defects among what is released if the lot is accepted, or None until the samples are judged."""
        return rates.released_rate(self.deciding.sample_of(self.plan.size)) if self.complete else None


def quality_of(lot: Lot) -> Quality | None:
    """Return the figures of a lot, or None if its deciding sample is not drawn yet."""
    plan = plans.plan_drawn(lot)
    if plan is None:
        return None
    by_batch = outcomes.by_batch(lot)
    return Quality(
        lot=lot,
        plan=plan,
        deciding=counts_of(sum(by_batch.values(), Counter())),
        first=counts_of(outcomes.counted(lot, "first")),
        by_batch={batch: counts_of(mine) for batch, mine in by_batch.items()},
        sizes={key: size or 0 for key, size in LotBatch.objects.filter(lot=lot).values_list("batch", "size")},
    )


@dataclass(frozen=True, slots=True)
class StudyQuality:
    """The quality of all decided lots of a study together.

    against_plan: lots that a person decided otherwise than their plan. They are not in `pooled`.
    """

    pooled: Pooled
    against_plan: tuple[Lot, ...]


def of_study(study: Study) -> StudyQuality:
    """Return the pooled figures of the study's decided lots, returned ones included (`rates.pooled` says why).

    The figures of a lot are those with which it was decided. They stay as they were, so they are read from the decision
    that stands, and the samples of hundreds of lots need not be counted again.
    """
    decided = Lot.objects.filter(study=study, state__in=[Lot.State.ACCEPTED, Lot.State.RETURNED], size__isnull=False)
    by_plan, against = [], []
    for lot, figures in _decided(decided):
        counts = figures["deciding"]
        if follows_plan(lot, figures) and counts["left"] + counts["disputed"] + counts["unconfirmed"] == 0:
            sample = Sample(figures["plan"]["size"], counts["drawn"], counts["defects"], counts["lost"])
            by_plan.append((sample, figures["plan"]["accept"]))
        else:
            against.append(lot)
    return StudyQuality(rates.pooled(by_plan), tuple(against))


def _decided(lots: QuerySet[Lot]) -> Iterator[tuple[Lot, dict[str, Any]]]:
    """Return each of these decided lots, by number, with the figures of the decision that stands."""
    found = {lot.pk: lot for lot in lots.order_by("number")}
    latest = LotDecision.objects.filter(lot__in=found).order_by("lot", "-pk").distinct("lot")
    figures = dict(latest.values_list("lot", "figures__quality"))
    return ((lot, figures[key]) for key, lot in found.items() if figures.get(key))


def follows_plan(lot: Lot, figures: dict[str, Any]) -> bool:
    """Return whether a lot was decided as its plan says. `figures` are those of `as_json`."""
    wanted = {Outcome.ACCEPT.value: Lot.State.ACCEPTED, Outcome.RETURN.value: Lot.State.RETURNED}
    return lot.state == wanted.get(figures["outcome"])


# --- JSON: evidence of a decision, and the API ---------------------------------------------------------------


def counts_json(counts: Counts) -> dict[str, int]:
    """Return the counts of a sample as JSON."""
    names = ("drawn", "judged", "defects", "disputed", "unconfirmed", "lost", "left")
    return {name: getattr(counts, name) for name in names}


def rate_json(rate: Rate | None) -> dict[str, Any] | None:
    """Return a rate with its interval as JSON, in answers and as shares."""
    if rate is None:
        return None
    shares = rate.shares
    return {
        "size": rate.size,
        "estimate": rate.estimate,
        "low": rate.low,
        "high": rate.high,
        "share": shares.estimate if shares else None,
        "share_low": shares.low if shares else None,
        "share_high": shares.high if shares else None,
    }


def as_json(quality: Quality) -> dict[str, Any]:
    """Return all figures of a lot as JSON."""
    plan = quality.plan
    return {
        "plan": {"size": plan.size, "sample": plan.sample, "accept": plan.accept},
        "deciding": counts_json(quality.deciding),
        "first": counts_json(quality.first),
        "complete": quality.complete,
        "outcome": quality.outcome.value,
        "early": quality.early,
        "rates": {name: rate_json(getattr(quality, name)) for name in ("before", "after", "released")},
    }
