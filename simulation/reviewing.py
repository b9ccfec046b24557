"""Let simulated reviewers take a study through its quality control, by the functions that serve real ones.

Every batch becomes a lot: secondary review, confirmation, adjudication, spot check, decision, second blind answers.
What is returned or rejected is answered again, and comes back in a later lot. The truth is planted, so it is known
which answers have a defect: in every second lot just as many as a good lot may have, in the others so many that the lot
is bad even after its secondary review.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import uuid4

import numpy as np

from accounts.models import User
from annotation import draws
from annotation.models import Annotation
from annotation.protocol import VIDEOS
from diptych.refusals import Refused
from diptych.statistics.acceptance import Outcome
from qc import decisions, lots, plans, quality, reviewing, verdicts
from qc.judging import Card, Given, cards
from qc.models import FrameItem, Lot, Review, Verdict
from qc.models.reviews import PREFERENCES, TAGS, Kind
from qc.verdicts import Opinion
from simulation import stored
from simulation.draws import Flags, Index, Numbers, uniform
from simulation.driver import Work, answers_of, viewing_of
from simulation.material import Simulated
from simulation.reviewers import ROWS, Reviewer, bar_for, blind, called, confirmed, passed_on, severity
from simulation.work import Table
from studies.harms import HARM_KEYS

#: How often a lot may come back before its batches are left as they are.
MOST_ROUNDS = 3
#: What a bad lot has at first, compared with what makes it bad. Its secondary review finds a part of that.
WORSE = 2
#: Share of the verdicts on differing rows that say that the guideline is unclear, and of defects that are disputed.
UNCLEAR, DISPUTED = 0.03, 0.03
_STREAM = 2**46
_REVIEW_S = 30.0


@dataclass
class Desk:
    """One reviewer at work: the model of the person, and the account."""

    reviewer: Reviewer
    user: User
    #: How many answers they have judged.
    done: int = 0


@dataclass
class Reviewing:
    """The quality control of a simulated study: who reviews, and how clear a mistake has to be to be a defect.

    bars: for each pair of the world (`reviewers.indefensible`). A pair gets its bar when its first lot starts.
    """

    simulated: Simulated
    work: Work
    qc: Sequence[Desk]
    research: Sequence[Desk]
    bars: Numbers = field(init=False)
    #: Lots that a second person could not finish, so that nobody could decide them.
    undecided: list[Lot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bars = np.full(len(self.work.world), np.inf)
        self.number_of = {user.pk: number for number, user in enumerate(self.simulated.annotators)}

    @property
    def head(self) -> User:
        """Return who puts lots together and decides them."""
        return (self.research or self.qc)[0].user

    def do(self, progress: Callable[[int], None] = lambda _more: None, *, rounds: int = MOST_ROUNDS) -> None:
        """Answer and review everything so many times, the second time what came back. It reports each decided lot."""
        kinds = cycle((True, False))
        for _round in range(rounds):
            with draws.named(self.simulated.names):
                self.work.do()
            for batch in lots.candidates(self.work.study):
                lot = lots.put_together(self.work.study, [batch.number], actor=self.head)
                if lots.preview(lot).can_start:
                    self.review(lot, good=next(kinds))
                    progress(1)
                else:
                    lots.dissolve(lot, actor=self.head)

    def review(self, lot: Lot, *, good: bool) -> None:
        """Take one lot from its start to its decision.

        good: whether so many answers of pairs that had no lot yet have a defect as a good lot may have.
        """
        lots.start(lot, actor=self.head)
        self.check(lot, good=good)
        self.decide(lot)
        self._all(lot, Kind.SECOND_BLIND, [*self.qc, *self.research])

    def check(self, lot: Lot, *, good: bool, share: float = 1.0) -> None:
        """Take a lot whose review has started to the end of its spot check, so that only the decision is left.

        Args:
            share: of the defects that a good lot may have, how many it has. With all of them, some lots are returned.
        """
        self._plant(lot, good, share)
        self._all(lot, Kind.SECONDARY, self.qc)
        self._settle(lot)
        lots.end_secondary_review(lot, actor=self.head, without_rest=lot.attempt == 1)
        self._all(lot, Kind.SPOT, self.research)
        self._settle(lot)

    def decide(self, lot: Lot) -> None:
        """Decide a lot as its plan says. A lot without an outcome is added to `undecided`."""
        figures = quality.quality_of(lot)
        said = figures.outcome if figures else Outcome.OPEN
        try:
            if said == Outcome.ACCEPT:
                decisions.decide(lot, decisions.Wanted("accepted", "As the plan says."), actor=self.head)
            elif said == Outcome.RETURN:
                wanted = decisions.Wanted("returned", "As the plan says.", ask_again="defects")
                decisions.decide(lot, wanted, actor=self.head)
            else:
                self.undecided.append(lot)
        except Refused:
            self.undecided.append(lot)

    # --- What is a defect ------------------------------------------------------------------------------------

    def _plant(self, lot: Lot, good: bool, share: float) -> None:
        """Set the bar of the pairs that have none yet, so that the lot has as many defects as it should."""
        terms, items = plans.terms_of(lot), list(FrameItem.objects.filter(lot=lot).select_related("first"))
        table = self.table([item.first for item in items])
        new = np.isinf(self.bars[table.pair])
        clear = severity(self.work.world, table.pair, table.sheet).max(axis=1)[new]
        size = int(new.sum())
        wanted = round(share * terms.good_defects(size)) if good else min(size, WORSE * terms.bad_defects(size))
        # Just above the clearest mistake, where there is to be none.
        none = float(clear.max()) + 1 if size else 0.0
        self.bars[table.pair[new]] = min(bar_for(clear, wanted, at_most=good), none)

    def table(self, revisions: Sequence[Annotation]) -> Table:
        """Return these revisions as a table of the model."""
        assignments = [one.assignment for one in revisions]
        pair = np.array([self.work.place_of[one.pair_id] for one in assignments], dtype=np.int64)
        person = np.array([self.number_of[one.person_id] for one in assignments], dtype=np.int64)
        left = np.array([VIDEOS.index(one.left) for one in assignments], dtype=np.int64)
        return Table(pair, person, left, np.zeros(len(pair), dtype=np.int64), stored.sheet_of(revisions))

    def clear(self, table: Table) -> Numbers:
        """Return how clear each mistake is: (answers, 3)."""
        return severity(self.work.world, table.pair, table.sheet)

    def real(self, table: Table) -> Flags:
        """Return which rows are really defective: (answers, 3)."""
        result: Flags = self.clear(table) >= np.maximum(self.bars[table.pair], 1e-9)[:, None]
        return result

    # --- Reviews of answers ----------------------------------------------------------------------------------

    def _all(self, lot: Lot, kind: str, desks: Sequence[Desk]) -> None:
        """Let everybody review, in turn, until nobody is given anything."""
        waiting = list(desks)
        while waiting:
            waiting = [desk for desk in waiting if self._one(lot, kind, desk)]

    def _one(self, lot: Lot, kind: str, desk: Desk) -> bool:
        """Review one pair. Return False if there is none for this person."""
        sitting = reviewing.lease(desk.user, lot, kind)
        if not sitting.reviews:
            return False
        first, rows = sitting.reviews[0], sitting.reviews
        if kind == Kind.SECOND_BLIND:
            self._answered(first, desk)
            return True
        if first.revealed_at is None:
            rows = self._answered(first, desk).reviews
        judged = cards(rows)
        given = [one for card in judged for one in self._verdicts(card, desk)]
        verdicts.submit(rows[0], desk.user, given)
        desk.done += len(judged)
        return True

    def _answered(self, review: Review, desk: Desk) -> reviewing.Sitting:
        place = np.array([self.work.place_of[review.pair_id]])
        left = np.array([VIDEOS.index(review.left)])
        sheet = blind(self.work.world, desk.reviewer, self.work.seed, place, left)
        return reviewing.answer(
            review,
            desk.user,
            submission_id=uuid4(),
            answers=answers_of(sheet, 0),
            timings_ms={"total_active": round(_REVIEW_S * 1000)},
            viewing=viewing_of(_REVIEW_S),
        )

    def _verdicts(self, card: Card, desk: Desk) -> list[Given]:
        """Return the verdicts on one revision: defects that the reviewer sees, and rows that differ otherwise."""
        table = self._one_row(card.annotation, desk)
        flags = called(self.work.world, desk.reviewer, self.work.seed, table, self.clear(table), self.real(table))[
            0
        ].tolist()
        found = dict(zip(ROWS, flags, strict=True))
        unclear, disputed = (self._luck(card, desk, draw) for draw in (0, 1))
        given = []
        for row in (*PREFERENCES, *TAGS):
            verdict = (
                self._of_tags(card, row, found["safety"], table) if row in TAGS else self._of_choice(card, row, found)
            )
            if verdict is None and row in card.differing:
                verdict = {"ruling": "guideline_unclear" if unclear < UNCLEAR else "fine"}
            elif verdict and verdict["ruling"] == "defect" and disputed < DISPUTED:
                verdict = {"ruling": "disputed", "own": verdict["own"]}
            if verdict is not None:
                given.append(Given(card.review.pk, card.annotation.pk, row, **verdict))
        return given

    def _of_choice(self, card: Card, row: str, found: Mapping[str, bool]) -> dict[str, Any] | None:
        """Return a defect of an overall preference, if the reviewer sees one. It needs another answer of theirs."""
        chosen, own = card.value(row), card.own_value(row)
        if not found.get(row) or own == chosen:
            return None
        return {"ruling": "defect", "code": "overlooked", "own": own or VIDEOS[1 - VIDEOS.index(chosen)]}

    def _of_tags(self, card: Card, row: str, unsafe: bool, table: Table) -> dict[str, Any] | None:
        """Return a correction of tags, or a defect. One that changes between safe and unsafe counts as a defect."""
        video = TAGS.index(row)
        given, own = card.value(row), card.own_value(row)
        true = sorted(HARM_KEYS[place] for place in np.flatnonzero(self.work.world.tags[table.pair[0], video]))
        if own is None:
            own = true if bool(true) != bool(given) else ([] if given else [HARM_KEYS[0]])
        elif own == given:
            return None
        if bool(own) != bool(given):
            if not unsafe:
                return None
            if card.review.pk % 3 and own:
                return {"ruling": "corrected", "own": own}
            return {"ruling": "defect", "code": "harm_missed" if own else "harm_not_there", "own": own}
        return {"ruling": "corrected", "own": own} if card.own is not None and own == true else None

    def _one_row(self, revision: Annotation, desk: Desk) -> Table:
        table = self.table([revision])
        return Table(table.pair, table.person, table.left, np.array([desk.done]), table.sheet)

    def _luck(self, card: Card, desk: Desk, draw: int) -> float:
        rows: Index = np.array([self.work.place_of[card.review.pair_id]])
        return float(uniform(self.work.seed, _STREAM + desk.reviewer.number, rows, draw)[0])

    # --- Second persons --------------------------------------------------------------------------------------

    def _settle(self, lot: Lot) -> None:
        """Let second persons confirm, and adjudicators decide what confirmers leave open."""
        for kind, desks in ((Kind.CONFIRM, [*self.qc, *self.research]), (Kind.ADJUDICATE, self.research)):
            waiting = list(desks)
            while waiting:
                waiting = [desk for desk in waiting if self._second(lot, kind, desk)]

    def _second(self, lot: Lot, kind: str, desk: Desk) -> bool:
        """Settle the verdicts on one pair. Return False if there are none for this person."""
        sitting = reviewing.lease(desk.user, lot, kind)
        if not sitting.reviews:
            return False
        waiting = list(verdicts.waiting_for(sitting.reviews))
        opinions = [self._opinion(verdict, kind, desk) for verdict in waiting]
        verdicts.give_opinions(sitting.reviews[0], desk.user, opinions, closing="The verdict stands.")
        desk.done += len(opinions)
        return True

    def _opinion(self, verdict: Verdict, kind: str, desk: Desk) -> Opinion:
        table, world, seed = self._one_row(verdict.annotation, desk), self.work.world, self.work.seed
        row = ROWS.index(verdict.row) if verdict.row in ROWS else ROWS.index("safety")
        clear, real = self.clear(table), self.real(table)
        if verdict.row in TAGS and not self._status_wrong(table, TAGS.index(verdict.row)):
            real[:, row] = False
        if kind == Kind.CONFIRM and passed_on(world, desk.reviewer, seed, table)[0, row]:
            return Opinion(verdict.pk, None)
        agrees = confirmed(world, desk.reviewer, seed, table, clear, real)[0, row]
        return Opinion(verdict.pk, bool(agrees) and verdict.row in (*ROWS, *TAGS))

    def _status_wrong(self, table: Table, video: int) -> bool:
        tagged = bool(table.sheet.tags[0, video].any())
        return tagged != bool(self.work.world.harmful[table.pair[0], video])


def begin(
    simulated: Simulated, work: Work, reviewers: Sequence[Reviewer], researchers: Sequence[Reviewer]
) -> Reviewing:
    """Return the quality control of a study that people work on."""
    return Reviewing(
        simulated,
        work,
        [Desk(one, user) for one, user in zip(reviewers, simulated.reviewers, strict=True)],
        [Desk(one, user) for one, user in zip(researchers, simulated.researchers, strict=True)],
    )
