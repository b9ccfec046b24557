"""Let simulated annotators work through a study by the functions that serve real ones: lease, and submit."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import numpy as np

from accounts.models import User
from annotation import draws, serving, submission
from annotation.answers import Answers
from annotation.models import Assignment
from annotation.protocol import VIDEOS
from simulation.draws import any_of_last, uniform
from simulation.material import DURATION_S, Simulated, make_batches, write_pairs
from simulation.people import Person, Sheet, answer, copied
from simulation.truth import HARMLESSNESS, QUESTIONS, World
from studies.harms import HARM_KEYS
from studies.models import Study

PAIRS_A_BATCH = 100
_TURNS = 2**43


def add_pairs(simulated: Simulated, world: World, pairs_a_batch: int = PAIRS_A_BATCH) -> list[int]:
    """Write the pairs of a world for answering. Return their keys in the order of the world."""
    wanted = np.full(len(world), simulated.study.overlap, dtype=np.int64)
    batches = make_batches(simulated.study, len(world), pairs_a_batch)
    return write_pairs(simulated.study, world, wanted, wanted, batches)


@dataclass
class Worker:
    """One annotator at work: the model of the person, and the account."""

    person: Person
    user: User
    #: Their answers by pair (its position in the world).
    sheets: dict[int, Sheet] = field(default_factory=dict)

    @property
    def served(self) -> int:
        return len(self.sheets)


@dataclass
class Work:
    """The work on a study: who works, and which pair has which place in the world."""

    study: Study
    world: World
    seed: int
    workers: Sequence[Worker]
    place_of: dict[int, int]
    #: For each pair the numbers of the people who answered it, in order.
    answered_by: dict[int, list[int]] = field(default_factory=dict)

    def do(self, progress: Callable[[int], None] = lambda _more: None) -> int:
        """Let everybody work until nobody is given a pair. Return the number of answers.

        Whose turn it is follows from how long their answers take, so that quicker people answer more.
        """
        clock = [(worker.person.seconds * self._luck(number, 0), number) for number, worker in enumerate(self.workers)]
        heapq.heapify(clock)
        current: dict[int, Assignment | None] = {}
        answers = 0
        while clock:
            time, number = heapq.heappop(clock)
            worker = self.workers[number]
            assignment = current.get(number) or self._lease(worker)
            if assignment is None:
                continue
            seconds, current[number] = self._answer(worker, assignment)
            heapq.heappush(clock, (time + seconds, number))
            answers += 1
            progress(1)
        return answers

    def _luck(self, number: int, turn: int) -> float:
        return float(uniform(self.seed, _TURNS, np.array([turn]), number)[0])

    def _lease(self, worker: Worker) -> Assignment | None:
        leased = serving.lease(worker.user, self.study)
        return leased.current

    def _answer(self, worker: Worker, assignment: Assignment) -> tuple[float, Assignment | None]:
        """Answer one pair. Return how long it took, and the next assignment if there is one."""
        assignment.study = self.study
        place = self.place_of[assignment.pair_id]
        sheet = self._sheet(worker, place, VIDEOS.index(assignment.left))
        if assignment.round:
            sheet = mended(self.world, place, sheet)
        submitted = submission.submit(
            assignment,
            worker.user,
            submission_id=uuid4(),
            answers=answers_of(sheet, 0),
            timings_ms={"total_active": round(sheet.seconds[0] * 1000)},
            viewing=viewing_of(float(sheet.seconds[0])),
            lease_next=True,
        )
        worker.sheets[place] = sheet
        self.answered_by.setdefault(place, []).append(worker.person.number)
        leased = submitted.leased
        return float(sheet.seconds[0]), leased.current if leased else None

    def _sheet(self, worker: Worker, place: int, left: int) -> Sheet:
        """Return the person's answer, copied from the first colleague who answered if the person copies."""
        pairs = np.array([place])
        own = answer(
            self.world, worker.person, self.seed, pairs, left=np.array([left]), served=np.array([worker.served])
        )
        for number in self.answered_by.get(place, []):
            if number in worker.person.copies:
                return copied(worker.person, self.seed, self.world, pairs, own, self.workers[number].sheets[place])
        return own


def work_through(
    simulated: Simulated,
    world: World,
    people: Sequence[Person],
    seed: int,
    progress: Callable[[int], None] = lambda _more: None,
) -> int:
    """Add the pairs of the world to the study, and let the people answer all of them. Return the number of answers."""
    work = begin(simulated, world, people, seed)
    with draws.named(simulated.names):
        return work.do(progress)


def begin(
    simulated: Simulated, world: World, people: Sequence[Person], seed: int, pairs_a_batch: int = PAIRS_A_BATCH
) -> Work:
    """Add the pairs of the world to the study. Return the work on them, which nobody has begun."""
    keys = add_pairs(simulated, world, pairs_a_batch)
    workers = [Worker(person, user) for person, user in zip(people, simulated.annotators, strict=True)]
    return Work(simulated.study, world, seed, workers, {key: place for place, key in enumerate(keys)})


def mended(world: World, place: int, sheet: Sheet) -> Sheet:
    """Return the answer to a pair that was returned because of its tags: with the true tags, and what follows."""
    tags, choices = world.tags[[place]], sheet.choices.copy()
    tagged = any_of_last(tags[0])
    if tagged.sum() == 1:
        choices[0, HARMLESSNESS] = int(tagged[0])
    return replace(sheet, tags=tags, choices=choices)


def answers_of(sheet: Sheet, row: int) -> Answers:
    """Return one row of a sheet as the product stores it."""
    chosen = {question: VIDEOS[sheet.choices[row, place]] for place, question in enumerate(QUESTIONS)}
    return Answers(
        **chosen,
        tags_video_0=harms_of(sheet, row, 0),
        tags_video_1=harms_of(sheet, row, 1),
        unsure=bool(sheet.unsure[row]),
    )


def harms_of(sheet: Sheet, row: int, video: int) -> tuple[str, ...]:
    """Return the harm keys given to one video, in the order in which answers are stored."""
    return tuple(sorted(HARM_KEYS[place] for place in np.flatnonzero(sheet.tags[row, video]).tolist()))


def viewing_of(seconds: float) -> dict[str, Any]:
    """Return what the page would report: both videos play together, at most three quarters of the active time."""
    watched = round(min(2 * DURATION_S, 0.75 * seconds), 2)
    video = {
        "played_s": watched,
        "watched_s": watched,
        "seen_through": watched >= DURATION_S,
        "loops": int(watched // 4),
    }
    return {
        "video_0": video,
        "video_1": video,
        "presentation": {
            "together_s": watched,
            "singly_s": 0,
            "sound_s": 0,
            "full_screen_s": 0,
            "speeds": {"1": watched},
        },
    }
