"""A study as a state machine of hypothesis: whatever order things happen in, every step leaves the counts right."""

from typing import Any

from django.db import connection
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from annotation import consent, exposure, leases, reasons, serving, submission
from annotation.models import Assignment, Seat
from catalog.models import Batch, Pair
from studies.models import Study
from tests import factories
from tests.annotation import recounting
from tests.annotation.at_once import COMMITTED, STAYING, Report, in_step, separate
from tests.annotation.crowd import AGREED, BY_PEOPLE, BY_SURROUNDINGS, Somebody, Surroundings
from tests.web import wait_for

#: One pair to begin with: answers wanted, what it may show, its priority, whether it is ready, its kind.
SHAPES = st.fixed_dictionaries(
    {
        "wanted": st.integers(1, 3),
        "may_show": st.sampled_from([[], [], ["violence"], ["hate"]]),
        "priority": st.sampled_from([0, 0, 0, 5, -5]),
        "ready": st.sampled_from([True, True, True, False]),
        "kind": st.sampled_from(["real", "real", "real", "real", "control"]),
    }
)
SETTINGS = st.fixed_dictionaries(
    {
        "daily_dose_s": st.sampled_from([0, 0, 20]),  # of which a pair is expected to take 8
        "harmless_after": st.sampled_from([0, 2]),
        "control_rate": st.sampled_from([0.0, 0.5]),
        "hold_after_skips": st.sampled_from([2, 9]),
    }
)
PICKS = st.integers(0, 11)
#: Reasons to have nothing that say something about the queue.
ABOUT_THE_QUEUE = (reasons.FINISHED, reasons.ALL_LEASED, reasons.EXCLUDED, reasons.CAP)


def new_study(settings: dict[str, Any], shapes: list[dict[str, Any]], people: int) -> tuple[Study, list[Somebody]]:
    """A study with these pairs, and people who have agreed to everything it may show."""
    study = factories.study(categories=["violence", "hate"], **settings)
    for shape in shapes:
        factories.pair(study, **shape, **({"expected": {}} if shape["kind"] == "control" else {}))
    return study, [Somebody(study, factories.member(study, "annotator")) for _ in range(people)]


def finish(study: Study, people: list[Somebody]) -> None:
    """Everything that stood in the way is taken away, and everybody works until they are told that nothing is left:
    then nothing must be left."""
    Pair.objects.filter(study=study).update(ready=True, held="")
    Study.objects.filter(pk=study.pk).update(state="running", daily_dose_s=0, hold_after_skips=999)
    Batch.objects.filter(study=study).update(state="open")
    Assignment.objects.filter(study=study, state="leased").update(expires_at=timezone.now())
    leases.return_expired(study_id=study.pk)
    study.refresh_from_db()
    for somebody in people:
        seat = Seat.objects.get(study=study, person=somebody.user)
        if not seat.consented_version or "violence" in seat.excluded:  # else they stay where they are in the queue
            consent.agree(somebody.user, study, categories=AGREED[0], text="I agree again.")
    for somebody in people:
        while (desk := somebody.lease()).current:
            somebody.send(desk.current, 1)
        assert not nothing_is_right(somebody, desk), f"told {desk.reason}"
    waiting = Assignment.objects.filter(study=study, state="offered", pair__open_slots__gt=0)
    assert not waiting.exists(), f"offered, and not given: {waiting.values()}"
    assert not Assignment.objects.filter(study=study, state="leased").exists(), "leased to nobody who works"


def nothing_is_right(somebody: Somebody, desk: serving.Desk) -> list[int]:
    """The pairs that a person could have who was told that there are none. Empty is right."""
    if desk.current_id is not None or desk.reason not in ABOUT_THE_QUEUE:
        return []
    day = exposure.day_of(somebody.user, timezone.now())
    return recounting.servable(somebody.study.pk, somebody.user.pk, day, reclaiming=True)


class Interleavings(RuleBasedStateMachine):
    """Three people, a few pairs, and everything that can happen to them, one after the other."""

    def teardown(self) -> None:
        finish(self.study, self.people)
        self.nothing_contradicts()

    @initialize(settings=SETTINGS, shapes=st.lists(SHAPES, min_size=1, max_size=5))
    def begin(self, settings: dict[str, Any], shapes: list[dict[str, Any]]) -> None:
        self.study, self.people = new_study(settings, shapes, people=3)
        self.surroundings = Surroundings(self.study)

    @rule(who=st.integers(0, 2), action=st.sampled_from(BY_PEOPLE), pick=PICKS)
    def somebody_does(self, who: int, action: str, pick: int) -> None:
        somebody = self.people[who]
        first = self.first_pair(somebody)
        takes_answers = self.pairs_that_take_late_answers()
        answered = somebody.act(action, pick)
        if action == "submit_late" and isinstance(answered, submission.Submitted):
            assert answered.standing.counted == (answered.annotation.assignment.pair_id in takes_answers)
        desk = answered if isinstance(answered, serving.Desk) else getattr(answered, "desk", None)
        if desk is None:
            return
        assert not nothing_is_right(somebody, desk), f"told {desk.reason}"
        if first is not None and desk.current is not None and desk.current.pair.kind == "real":
            assert desk.current.pair_id == first

    def pairs_that_take_late_answers(self) -> set[int]:
        pairs = Pair.objects.filter(study=self.study, open_slots__gt=0, held="").exclude(study__state="closed")
        return set(pairs.exclude(batch__state__in=["in_review", "accepted"]).values_list("pk", flat=True))

    def first_pair(self, somebody: Somebody) -> int | None:
        """What somebody must be given who was given nothing yet: the order is exact for whoever begins."""
        seat = Seat.objects.get(study=self.study, person=somebody.user)
        if seat.served:
            return None
        pairs = recounting.servable(self.study.pk, somebody.user.pk, exposure.day_of(somebody.user, timezone.now()))
        return pairs[0] if pairs else None

    @rule(action=st.sampled_from(BY_SURROUNDINGS), pick=PICKS)
    def something_happens(self, action: str, pick: int) -> None:
        self.surroundings.act(action, pick)

    @invariant()
    def nothing_contradicts(self) -> None:
        assert (found := recounting.contradictions(self.study.pk)) == {}, found
        assert (wanted := recounting.annotated_and_wanted(self.study.pk)) == [], wanted

    @invariant()
    def every_answer_is_there_once(self) -> None:
        sent = {}
        for somebody in self.people:
            sent |= somebody.acknowledged | somebody.revised
        assert recounting.stored(self.study.pk) == sent


# --- At once ------------------------------------------------------------------------------------------------

ACTIONS = st.tuples(st.sampled_from((*BY_PEOPLE, *BY_PEOPLE, *BY_SURROUNDINGS)), PICKS)
#: A study, and what each of six participants does; two of them are the same person in two tabs.
SCRIPTS = st.fixed_dictionaries(
    {
        "settings": SETTINGS,
        "shapes": st.lists(SHAPES, min_size=2, max_size=6),
        "scripts": st.lists(st.lists(ACTIONS, min_size=6, max_size=12), min_size=6, max_size=6),
    }
)


def seated(drawn: dict[str, Any]) -> tuple[Study, list[Somebody]]:
    """The study, and somebody for each script; the last two are one person, each with a ledger of their own."""
    study, people = new_study(drawn["settings"], drawn["shapes"], people=len(drawn["scripts"]) - 1)
    for somebody in people[::2]:  # nobody begins with nothing
        somebody.lease()
    return study, [*people, Somebody(study, people[-1].user)]


def together_in_step(drawn: dict[str, Any]) -> None:
    """Threads that take each step at the same moment."""
    study, people = seated(drawn)
    assert (failed := in_step(people, drawn["scripts"])) == [], failed
    judge(study, people)


def together_as_processes(drawn: dict[str, Any]) -> None:
    """Processes that begin at the same moment and go on at their own pace."""
    study, people = seated(drawn)
    with separate(people, drawn["scripts"]) as processes:
        for process in processes:
            process.go()
        for somebody, process in zip(people, processes, strict=True):
            note(somebody, process.join())
    judge(study, people)


KILLINGS = st.fixed_dictionaries(
    {
        "settings": SETTINGS,
        "shapes": st.lists(SHAPES, min_size=2, max_size=6),
        "scripts": st.lists(st.lists(ACTIONS, min_size=6, max_size=12), min_size=4, max_size=4),
        "killed_after": st.integers(0, 8),  # actions
    }
)


def killed(drawn: dict[str, Any]) -> None:
    """The first is killed with its last action done and not committed, while others wait for what it holds; the
    second between or in the middle of actions, wherever it is. The others go on."""
    study, people = seated(drawn)
    with separate(people, drawn["scripts"], staying=[0]) as processes:
        processes[0].go()
        processes[0].told(until=STAYING)
        for process in processes[1:]:
            process.go()
        for _ in range(drawn["killed_after"]):
            processes[1].told(until=COMMITTED)
        for process in processes[:2]:
            process.kill()
        for somebody, process in zip(people, processes, strict=True):
            note(somebody, process.join())
    wait_for(lambda: not alive([process.backend for process in processes]), "a killed process is still served")
    judge(study, people, unacknowledged=1)


def alive(backends: list[int]) -> bool:
    """Whether the database still works for one of these connections."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [backends])
        return bool(cursor.fetchone()[0])


def note(somebody: Somebody, report: Report) -> None:
    """What a process told becomes somebody's ledger."""
    assert not report.failed, report.failed
    somebody.tried, somebody.acknowledged, somebody.revised = report.tried, report.acknowledged, report.revised


def judge(study: Study, people: list[Somebody], unacknowledged: int = 0) -> None:
    """Counts are right, everything that was acknowledged is there, and everybody can go on to the end."""
    assert (wanted := recounting.annotated_and_wanted(study.pk)) == [], wanted
    assert (found := recounting.contradictions(study.pk)) == {}, found
    sent: dict[str, int] = {}
    for somebody in people:
        sent |= somebody.acknowledged | somebody.revised
    stored = recounting.stored(study.pk)
    assert sent.items() <= stored.items(), "an answer that was acknowledged is not there"
    assert len(stored) <= len(sent) + unacknowledged, "an answer is there that nobody sent"
    finish(study, people)
    assert (found := recounting.contradictions(study.pk)) == {}, found
