"""A study as a state machine of hypothesis: after every step, in any order, the counts must be right."""

from typing import Any
from unittest.mock import patch

from django.db import connection
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from annotation import exposure, leases, reasons, serving, submission
from annotation.models import Assignment, Seat
from catalog.models import Batch, Pair
from consent import agreements
from studies.models import Study
from tests import factories
from tests.annotation import recounting
from tests.annotation.at_once import COMMITTED, STAYING, Report, in_step, separate
from tests.annotation.crowd import AGREED, BY_PEOPLE, BY_SURROUNDINGS, Somebody, Surroundings
from tests.web import wait_for

#: One pair at the beginning: wanted answers, what it may show, its priority, whether it is ready, its kind.
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
        "daily_dose_s": st.sampled_from([0, 0, 20]),  # a pair is expected to take 8 of it
        "harmless_after": st.sampled_from([0, 2]),
        "control_rate": st.sampled_from([0.0, 0.05]),
        "hold_after_skips": st.sampled_from([2, 9]),
    }
)
PICKS = st.integers(0, 11)
#: Reasons for having no pair that are about the queue.
ABOUT_THE_QUEUE = (reasons.FINISHED, reasons.ALL_LEASED, reasons.EXCLUDED, reasons.CAP)


def new_study(settings: dict[str, Any], shapes: list[dict[str, Any]], people: int) -> tuple[Study, list[Somebody]]:
    """Create a study with these pairs, and people who have agreed to all its harms."""
    study = factories.study(categories=["violence", "hate"], **settings)
    for shape in shapes:
        factories.pair(study, **shape, **({"expected": {}} if shape["kind"] == "control" else {}))
    return study, [Somebody(study, factories.member(study, "annotator")) for _ in range(people)]


def finish(study: Study, people: list[Somebody]) -> None:
    """Remove all obstacles, let everybody work until no pair is left for them, and check that none is left."""
    Pair.objects.filter(study=study).update(ready=True, held="")
    Study.objects.filter(pk=study.pk).update(state="running", daily_dose_s=0, hold_after_skips=999)
    Batch.objects.filter(study=study).update(state="open")
    Assignment.objects.filter(study=study, state="leased").update(expires_at=timezone.now())
    leases.return_expired(study_id=study.pk)
    study.refresh_from_db()
    for somebody in people:
        seat = Seat.objects.get(study=study, person=somebody.user)
        if not seat.consented_version or "violence" in seat.excluded:  # the others keep their place in the queue
            agreements.agree(somebody.user, study, categories=AGREED[0], text="I agree again.")
    for somebody in people:
        while (leased := somebody.lease()).current:
            somebody.send(leased.current, 1)
        assert not nothing_is_right(somebody, leased), f"the reason is {leased.reason}"
    waiting = Assignment.objects.filter(study=study, state="offered", pair__open_slots__gt=0)
    assert not waiting.exists(), f"offered, and not given: {waiting.values()}"
    assert not Assignment.objects.filter(study=study, state="leased").exists(), "leased to nobody who works"


def every_second(study: Study, seat: Seat) -> bool:
    """Return whether a control is due, far more often than the product lets it be: histories here are short."""
    return study.control_rate > 0 and seat.served % 2 == 1


def nothing_is_right(somebody: Somebody, leased: serving.LeasedPairs) -> list[int]:
    """Return the pairs that a person could have although they were told that there are none. Empty is right."""
    if leased.current_id is not None or leased.reason not in ABOUT_THE_QUEUE:
        return []
    day = exposure.day_of(somebody.user, timezone.now())
    return recounting.servable(somebody.study.pk, somebody.user.pk, day, reclaiming=True)


class Interleavings(RuleBasedStateMachine):
    """Three people, a few pairs, and everything that can happen to them, one after another."""

    def teardown(self) -> None:
        try:
            finish(self.study, self.people)
            self.nothing_contradicts()
        finally:
            self.often_controls.stop()

    @initialize(settings=SETTINGS, shapes=st.lists(SHAPES, min_size=1, max_size=5))
    def begin(self, settings: dict[str, Any], shapes: list[dict[str, Any]]) -> None:
        self.often_controls = patch("annotation.draws.is_control", every_second)
        self.often_controls.start()
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
        leased = answered if isinstance(answered, serving.LeasedPairs) else getattr(answered, "leased", None)
        if leased is None:
            return
        assert not nothing_is_right(somebody, leased), f"the reason is {leased.reason}"
        if first is not None and leased.current is not None and leased.current.pair.kind == "real":
            assert leased.current.pair_id == first

    def pairs_that_take_late_answers(self) -> set[int]:
        pairs = Pair.objects.filter(study=self.study, open_slots__gt=0, held="").exclude(study__state="closed")
        return set(pairs.exclude(batch__state__in=["in_review", "accepted"]).values_list("pk", flat=True))

    def first_pair(self, somebody: Somebody) -> int | None:
        """Return the pair that a person without any pair yet must get. For them the order is exact."""
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
#: A study, and the scripts of six participants. Two of them are the same person in two tabs.
SCRIPTS = st.fixed_dictionaries(
    {
        "settings": SETTINGS,
        "shapes": st.lists(SHAPES, min_size=2, max_size=6),
        "scripts": st.lists(st.lists(ACTIONS, min_size=6, max_size=12), min_size=6, max_size=6),
    }
)


def seated(drawn: dict[str, Any]) -> tuple[Study, list[Somebody]]:
    """Create the study, and a participant for each script. The last two are one person with separate records."""
    study, people = new_study(drawn["settings"], drawn["shapes"], people=len(drawn["scripts"]) - 1)
    for somebody in people[::2]:  # so that somebody has a pair at the beginning
        somebody.lease()
    return study, [*people, Somebody(study, people[-1].user)]


def together_in_step(drawn: dict[str, Any]) -> None:
    """Run threads that take each step at the same moment."""
    study, people = seated(drawn)
    assert (failed := in_step(people, drawn["scripts"])) == [], failed
    judge(study, people)


def together_as_processes(drawn: dict[str, Any]) -> None:
    """Run processes that begin at the same moment and go on at their own pace."""
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
    """Kill two processes while the others go on.

    The first is killed when its last action is done and not committed, while others wait for its locks. The second is
    killed at any moment.
    """
    study, people = seated(drawn)
    with separate(people, drawn["scripts"], staying=[0]) as processes:
        processes[0].go()
        processes[0].wait_for(until=STAYING)
        for process in processes[1:]:
            process.go()
        for _ in range(drawn["killed_after"]):
            processes[1].wait_for(until=COMMITTED)
        for process in processes[:2]:
            process.kill()
        for somebody, process in zip(people, processes, strict=True):
            note(somebody, process.join())
    wait_for(lambda: not alive([process.backend for process in processes]), "a killed process is still served")
    judge(study, people, unacknowledged=1)


def alive(backends: list[int]) -> bool:
    """Return whether the database still works for one of these connections."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [backends])
        return bool(cursor.fetchone()[0])


def note(somebody: Somebody, report: Report) -> None:
    """Copy the report of a process to the person's record."""
    assert not report.failed, report.failed
    somebody.tried, somebody.acknowledged, somebody.revised = report.tried, report.acknowledged, report.revised


def judge(study: Study, people: list[Somebody], unacknowledged: int = 0) -> None:
    """Check that counts are right, that everything acknowledged is stored, and that everybody can go on to the end."""
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
