"""Fill a simulated study with any number of answers by COPY. Each part of it is a study that could have been worked.

Serving is not involved. Rows are written as it would have left them, with all constraints and triggers. Times are
spread over some weeks before now, so that figures by day and week have something to show. There is one audit row for
the whole, not one for each answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from annotation import draws
from catalog.models import Batch
from simulation.draws import uniform
from simulation.filled_rows import FilledRows
from simulation.material import Simulated, make_batches, write_pairs
from simulation.people import Person
from simulation.truth import World, plant
from simulation.work import Table, answers, ordinals
from studies.harms import HARM_KEYS

PAIRS_AT_ONCE = 20_000
PAIRS_A_BATCH = 1_000
_LUCK, _SIDE = 2**44, 2**45


@dataclass(frozen=True)
class Filling:
    """A study to be filled with answers."""

    simulated: Simulated
    people: Sequence[Person]
    seed: int
    answers: int
    overlap: int

    @property
    def pairs(self) -> int:
        return -(-self.answers // self.overlap)

    def fill(self, progress: Callable[[int], None] = lambda _more: None) -> int:
        """Write all answers, a part of the pairs in each transaction. Return the number of answers.

        A fill that is killed leaves a smaller study, which is complete in itself.
        """
        study = self.simulated.study
        with transaction.atomic():
            batches = make_batches(study, self.pairs, PAIRS_A_BATCH)
            after = {"answers": self.answers, "pairs": self.pairs}
            audit.record("study.filled_by_simulation", study, actor=None, study_slug=study.slug, after=after)
        with draws.named(self.simulated.names):
            rows = FilledRows(self.simulated, self.answers)
        done = 0
        for first in range(0, self.pairs, PAIRS_AT_ONCE):
            world = plant(min(PAIRS_AT_ONCE, self.pairs - first), self.seed, first=first)
            table = self.answers_to(world, self.answers - done, rows.served)
            with transaction.atomic():
                rows.write(table, self._write_pairs(world, table, batches[first : first + len(world)]))
            done += len(table)
            progress(len(table))
        _end_batches(self.simulated)
        return done

    def answers_to(self, world: World, most: int, before: Sequence[int]) -> Table:
        """Return the answers to these pairs. Each pair gets people at random, and sides in turn.

        before: how many pairs each person was given in earlier parts.
        """
        people = len(self.people)
        luck = np.stack([uniform(self.seed, _LUCK, world.prompt, person) for person in range(people)], axis=1)
        chosen = np.argpartition(luck, self.overlap - 1, axis=1)[:, : self.overlap].astype(np.int64)
        side = (uniform(self.seed, _SIDE, world.prompt, 0) < 0.5).astype(np.int64)
        sides = (side[:, None] + np.arange(self.overlap)) % 2
        pair, person, left = (
            column[:most] for column in (np.repeat(np.arange(len(world)), self.overlap), chosen.ravel(), sides.ravel())
        )
        served = ordinals(person, people) + np.array(before)[person]
        return Table(pair, person, left, served, answers(world, self.people, self.seed, pair, person, left, served))

    def _write_pairs(self, world: World, table: Table, batches: Sequence[int]) -> list[int]:
        wanted = np.full(len(world), self.overlap, dtype=np.int64)
        open_slots = wanted - np.bincount(table.pair, minlength=len(world))
        return write_pairs(self.simulated.study, world, wanted, open_slots, batches, _shown_harms(world, table))


def _end_batches(simulated: Simulated) -> None:
    """Mark the batches that have all their answers, and update the planner's statistics."""
    complete = Batch.objects.filter(study=simulated.study).exclude(pairs__open_slots__gt=0)
    complete.update(state=Batch.State.ANNOTATED, annotated_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _shown_harms(world: World, table: Table) -> list[tuple[list[str], list[str]]]:
    """Return for each pair the harms that its answers name for each of its videos."""
    given = np.zeros_like(world.tags)
    np.logical_or.at(given, table.pair, table.sheet.tags)
    found: list[tuple[list[str], list[str]]] = [([], []) for _ in range(len(world))]
    for pair, video, tag in np.argwhere(given).tolist():
        found[pair][video].append(HARM_KEYS[tag])
    return [(sorted(one), sorted(other)) for one, other in found]
