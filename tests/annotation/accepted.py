"""Try over the API what each state of a study and of a batch accepts, and write the result as a page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from annotation import leases, seats, serving
from annotation.models import Annotation, Assignment, Break, Dose, Exposure, Seat, Standing
from catalog.models import Batch, Pair
from consent import agreements
from studies.models import Membership, Study
from studies.terms import change_terms
from tests import factories
from tests.annotation import recounting

STUDY_STATES, BATCH_STATES = Study.State.values, Batch.State.values
#: Ways in which a lease can have ended: expired before the sweep, expired and swept, or released by its person.
ENDINGS = ("by the clock", "by the sweep", "released")


class Case:
    """One person of a study with a batch of their own, and their requests."""

    def __init__(self, study: Study, person: User, number: int, client: APIClient) -> None:
        self.study, self.person = study, person
        self.batch = Batch.objects.create(study=study, number=number)
        Membership.objects.create(study=study, person=person, role="annotator")
        seats.locked_seat(person, study)
        seat = Seat.objects.filter(study=study, person=person)
        seat.update(consented_version=study.consent_version, batches=[number])
        self.client = client

    def pair(self, **values: Any) -> Pair:
        return factories.pair(self.study, batch=self.batch, **values)

    def leased(self, **values: Any) -> Assignment:
        self.pair(**values)
        current = serving.lease(self.person, self.study).current
        assert current is not None
        return current

    def ended(self, how: str, **values: Any) -> Assignment:
        assignment = self.leased(**values)
        if how == "released":
            serving.release(assignment, self.person)
        else:
            past = timezone.now() - timedelta(hours=1)
            mine = Assignment.objects.filter(pk=assignment.pk)
            mine.update(leased_at=past, expires_at=past + timedelta(minutes=30))
            if how == "by the sweep":
                leases.return_expired(study_id=self.study.pk)
        return assignment

    def answered(self, ago: timedelta = timedelta()) -> Assignment:
        self.pair()
        assignment = factories.answer(self.person, self.study)
        Assignment.objects.filter(pk=assignment.pk).update(ended_at=timezone.now() - ago)
        return assignment

    def send(self, method: str, address: str, body: Any = None) -> Any:
        self.client.force_authenticate(self.person)
        return getattr(self.client, method)(f"/api/v1/{address}/", body, format="json")

    def post(self, verb: str, assignment: Assignment, body: Any = None) -> Any:
        return self.send("post", f"assignments/{assignment.pk}/{verb}", body)

    def lease(self) -> Any:
        return self.send("post", f"studies/{self.study.slug}/assignments").json()


def outcome(response: Any) -> str:
    """Return `yes`, or the error code of the refusal."""
    if response.status_code < 400:
        return "yes"
    assert response.status_code == 409, response.content
    assert response.json()["detail"]
    return f"no: `{response.json()['code']}`"


# --- Actions: each prepares a pair, and returns the request to send in any state ------------------------------------

Act = Callable[[], str]


def leases_a_pair(case: Case) -> Act:
    case.pair()

    def act() -> str:
        leased = case.lease()
        return "yes" if leased["current"] else f"no: `{leased['reason']}`"

    return act


def is_shown_the_next(case: Case) -> Act:
    case.pair()
    case.pair()
    leased = serving.lease(case.person, case.study)
    assert leased.current is not None
    assert leased.next is not None
    current, following = leased.current, leased.next

    def act() -> str:
        case.post("release", current)
        after = case.lease()
        shown = after["current"]
        assert shown is None or shown["id"] == following.pk
        return "yes" if shown else f"no: `{after['reason']}`"

    return act


def renews(case: Case, assignment: Assignment) -> Act:
    def act() -> str:
        before = Assignment.objects.get(pk=assignment.pk)
        Assignment.objects.filter(pk=assignment.pk, expires_at__gt=timezone.now()).update(
            leased_at=before.leased_at - timedelta(minutes=5), expires_at=before.expires_at - timedelta(minutes=5)
        )
        result = outcome(case.post("renew", assignment))
        after = Assignment.objects.get(pk=assignment.pk)
        is_live = after.state == "leased" and after.expires_at > timezone.now() + timedelta(minutes=26)
        assert is_live == (result == "yes")
        return result

    return act


def drafts(case: Case, assignment: Assignment) -> Act:
    def act() -> str:
        draft = {"helpfulness": {"correctness": "video_1"}}
        result = outcome(case.send("put", f"assignments/{assignment.pk}/draft", draft))
        assert (Assignment.objects.get(pk=assignment.pk).draft is not None) == (result == "yes")
        return result

    return act


def skips(case: Case, assignment: Assignment) -> Act:
    def act() -> str:
        result = outcome(case.post("skip", assignment, {"reason": "cannot_judge"}))
        assert (Assignment.objects.get(pk=assignment.pk).state == "skipped") == (result == "yes")
        return result

    return act


def submits(case: Case, assignment: Assignment) -> Act:
    def act() -> str:
        response = case.post("submit", assignment, factories.body())
        result = outcome(response)
        standing = Standing.objects.filter(pk=assignment.pk).first()
        assert (standing is not None) == (result == "yes")
        if standing is None:
            return result
        answer = response.json()["annotation"]
        assert (answer["counted"], answer["surplus"]) == (standing.counted, standing.uncounted_reason)
        return "counted" if standing.counted else f"kept, not counted: `{standing.uncounted_reason}`"

    return act


def submits_too_late_for_the_slot(case: Case) -> Act:
    assignment = case.ended("by the sweep")
    now = timezone.now()
    factories.assignment(
        case.study,
        factories.person(),
        assignment.pair,
        state="leased",
        ended_at=None,
        leased_at=now,
        expires_at=now + timedelta(hours=1),
    )
    Pair.objects.filter(pk=assignment.pair_id).update(open_slots=0)
    return submits(case, assignment)


def revises(case: Case, assignment: Assignment) -> Act:
    def act() -> str:
        body = factories.body(reason="reopened", harmlessness=OTHERWISE)
        result = outcome(case.post("revise", assignment, body))
        count = Annotation.objects.filter(assignment=assignment).count()
        assert count == (2 if result == "yes" else 1)
        return result

    return act


OTHERWISE = {"video_0": {"tags": []}, "video_1": {"tags": ["crime"]}, "overall": "video_0"}


def reports(case: Case, assignment: Assignment) -> Act:
    return lambda: outcome(case.post("report", assignment, {"videos": ["video_0"]}))


def releases(case: Case, assignment: Assignment) -> Act:
    def act() -> str:
        result = outcome(case.post("release", assignment))
        assert Assignment.objects.get(pk=assignment.pk).state in ("released", "expired")
        return result

    return act


@dataclass(frozen=True)
class Row:
    """One line of the tables. Every one of its `ways` must have the same outcome."""

    name: str
    ways: tuple[Callable[[Case], Act], ...]


def live(act: Callable[[Case, Assignment], Act]) -> tuple[Callable[[Case], Act], ...]:
    return (lambda case: act(case, case.leased()),)


def ended(act: Callable[[Case, Assignment], Act]) -> tuple[Callable[[Case], Act], ...]:
    return tuple(lambda case, how=how: act(case, case.ended(how)) for how in ENDINGS)  # type: ignore[misc]


ROWS = (
    Row("lease a new pair", (leases_a_pair,)),
    Row("move to the next pair", (is_shown_the_next,)),
    Row("renew a live lease", live(renews)),
    Row("renew a lease that has ended", ended(renews)),
    Row("save a draft on a live lease", live(drafts)),
    Row("save a draft after the lease has ended", ended(drafts)),
    Row("skip on a live lease", live(skips)),
    Row("skip after the lease has ended", ended(skips)),
    Row("first answer on a live lease", live(submits)),
    Row("first answer after the lease has ended, a slot is free", ended(submits)),
    Row("first answer after the lease has ended, the slot is taken", (submits_too_late_for_the_slot,)),
    Row("change an answer within the time limit", (lambda case: revises(case, case.answered()),)),
    Row(
        "change an answer after the time limit",
        (lambda case: revises(case, case.answered(ago=timedelta(seconds=case.study.reopen_s + 60))),),
    ),
    Row(
        "report a pair: leased, ended or answered",
        (*live(reports), *ended(reports), lambda case: reports(case, case.answered())),
    ),
    Row("release a pair: leased or ended", (*live(releases), *ended(releases))),
)

#: Outcomes by row and states.
Outcomes = dict[tuple[str, str, str], str]


def walk() -> Outcomes:
    """Return the outcome of every row in every state of a study.

    In a running study every state of a batch is tried, in other studies an open batch and one that is being checked.
    """
    return {
        (row, study_state, batch_state): result
        for study_state in STUDY_STATES
        for row, batch_state, result in _walked(
            study_state,
            BATCH_STATES if study_state == Study.State.RUNNING else [Batch.State.OPEN, Batch.State.IN_REVIEW],
        )
    }


def walk_withdrawn() -> dict[str, str]:
    """Return the outcome of every row for people who have withdrawn their consent, in a running study."""
    return {row: result for row, _, result in _walked(Study.State.RUNNING, [Batch.State.OPEN], withdrawn=True)}


def _walked(study_state: str, batch_states: list[str], *, withdrawn: bool = False) -> Iterator[tuple[str, str, str]]:
    study = factories.study()
    ways = [(row.name, state, way) for row in ROWS for state in batch_states for way in row.ways]
    people = User.objects.bulk_create(User(username=f"{study.slug} {number}") for number in range(len(ways)))
    client = APIClient()
    cases = [Case(study, person, number, client) for number, person in enumerate(people, 1)]
    acts = [way(case) for case, (_, _, way) in zip(cases, ways, strict=True)]
    for case, (_, state, _) in zip(cases, ways, strict=True):
        Batch.objects.filter(pk=case.batch.pk).update(state=state)
        if withdrawn:
            agreements.withdraw(case.person, study)
    Study.objects.filter(pk=study.pk).update(state=study_state)
    found: dict[tuple[str, str], str] = {}
    for (row, state, _), act in zip(ways, acts, strict=True):
        result = act()
        assert found.setdefault((row, state), result) == result, f"{row} in {study_state}, {state}: depends on the way"
    assert (wrong := recounting.contradictions(study.pk)) == {}, wrong
    return ((row, state, result) for (row, state), result in found.items())


# --- Why an ended lease is not renewed ----------------------------------------------------------------------------


def _has_reached_the_limit(case: Case) -> None:
    Study.objects.filter(pk=case.study.pk).update(daily_dose_s=50)
    Exposure.objects.filter(person=case.person).update(expected_s=60.0)
    Dose.objects.filter(person=case.person).update(seconds=60.0)


def _break_is_due(case: Case) -> None:
    Seat.objects.filter(person=case.person).update(since_break_ms=10**9)


def _terms_have_changed(case: Case) -> None:
    change_terms(case.study, categories=["crime"])


def _left_the_harm_out(case: Case) -> None:
    Pair.objects.filter(batch=case.batch).update(may_show=["crime"])
    Seat.objects.filter(person=case.person).update(excluded=["crime"])


def _guideline_has_changed(case: Case) -> None:
    Study.objects.filter(pk=case.study.pk).update(guideline_version=9)


def _must_qualify(case: Case) -> None:
    Study.objects.filter(pk=case.study.pk).update(qualification_required=True)


def _is_suspended(case: Case) -> None:
    Seat.objects.filter(person=case.person).update(suspended_at=timezone.now())


def _is_paused(case: Case) -> None:
    Seat.objects.filter(person=case.person).update(paused_at=timezone.now())


def _is_held(case: Case) -> None:
    Pair.objects.filter(batch=case.batch).update(held="a researcher looks at it")


NOT_RENEWED: dict[str, Callable[[Case], None]] = {
    "the daily limit is reached": _has_reached_the_limit,
    "a break is due": _break_is_due,
    "the study’s terms have changed": _terms_have_changed,
    "the pair may show harm that the person does not agree to see": _left_the_harm_out,
    "the person has not read the current guideline": _guideline_has_changed,
    "the person has not qualified for the study": _must_qualify,
    "the person is suspended": _is_suspended,
    "a pause rule has stopped the person": _is_paused,
    "the pair is held": _is_held,
}


def walk_renewals() -> dict[str, str]:
    """Return the outcome of renewing an ended lease, in each case in which a new lease would be refused."""
    found: dict[str, str] = {}
    client = APIClient()
    for name, stands_in_the_way in NOT_RENEWED.items():
        for how in ENDINGS:
            study = factories.study()
            case = Case(study, factories.person(), 1, client)
            assignment = case.ended(how, may_show=["violence"])
            stands_in_the_way(case)
            result = outcome(case.post("renew", assignment))
            assert found.setdefault(name, result) == result, f"{name}: depends on how the lease ended"
            begun = Break.objects.filter(study=study).count()
            assert begun == (1 if result == "no: `break`" else 0), "the announced break has not begun"
            assert recounting.contradictions(study.pk) == {}
    return found


# --- The page ---------------------------------------------------------------------------------------------------

PAGE = """# What each state accepts

A test tries every action in every state over the API, and writes this page. To update it after a change, run:

    WRITE_DOCS=1 .venv/bin/python -m pytest tests/annotation/test_accepted_by_state.py

*No* means a response with status 409 and the named code. For a lease, it means a response without a pair and with that
reason. The person's input stays in their browser. An answer that is *kept, not counted* is stored, and exported with
`counted: false` and the named reason. A lease is live until its time runs out, whether or not the sweep has run since.

## Study

The batch is open. An archived study is paused or closed, and accepts what that state accepts.

{study}

## Batch

The study is running. If the study and the batch accept different things, the stricter one decides.

{batch}

## Consent withdrawn

The study is running and the batch is open. Withdrawing ends all leases, so no lease is live.

{withdrawn}

When the person agrees again, their browser sends the waiting answers. They arrive after the end of their lease.

## Renewing an ended lease

An ended lease is renewed on the same conditions as a new one is given. In a running study, it is refused if:

{renewals}

It is also refused with `lease_lost` if someone else has the slot, or if the person already has two other pairs. In all
these cases the person can still submit the answer, unless they have withdrawn their consent.

An answer of a suspended person is kept, not counted: `surplus_suspended`. They cannot change earlier answers.
"""


def page(walked: Outcomes, withdrawn: dict[str, str], renewals: dict[str, str]) -> str:
    """Return the page as Markdown."""
    names = [row.name for row in ROWS]
    by_study = [[name, *(walked[name, state, "open"] for state in STUDY_STATES)] for name in names]
    by_batch = [[name, *(walked[name, "running", state] for state in BATCH_STATES)] for name in names]
    return PAGE.format(
        study=_table(["", *STUDY_STATES], by_study),
        batch=_table(["", *(state.replace("_", " ") for state in BATCH_STATES)], by_batch),
        withdrawn=_table(["", "consent withdrawn"], [[name, withdrawn[name]] for name in names if "live" not in name]),
        renewals=_table(["", "renew a lease that has ended"], [list(row) for row in renewals.items()]),
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
