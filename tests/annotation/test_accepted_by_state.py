"""What each state of a study and of a batch accepts: the whole table, walked over the API (issue's rule and decision
023), and the page that says it."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from tests.annotation import accepted

pytestmark = pytest.mark.django_db

PAGE = Path(settings.BASE_DIR) / "docs" / "accepted-by-state.md"

YES, COUNTED = "yes", "counted"
PAUSED, FINISHED, CLOSED = "no: `paused`", "no: `finished`", "no: `study_closed`"
SURPLUS = "kept, not counted: `surplus`"
SURPLUS_CLOSED, SURPLUS_CHECKED = (f"kept, not counted: `surplus_{what}_closed`" for what in ("study", "batch"))
CHECKED, TOO_LATE, CONSENT = "no: `batch_closed`", "no: `too_late`", "no: `consent`"

#: Row: running, paused, closed; the batch is open.
BY_STUDY = {
    "lease a new pair": (YES, PAUSED, FINISHED),
    "be shown the next pair": (YES, PAUSED, FINISHED),
    "renew a live lease": (YES, YES, YES),
    "take back a pair whose lease has ended": (YES, PAUSED, CLOSED),
    "save a draft on a live lease": (YES, YES, YES),
    "save a draft after the lease has ended": (YES, YES, CLOSED),
    "skip on a live lease": (YES, YES, YES),
    "skip after the lease has ended": (YES, YES, CLOSED),
    "first answer on a live lease": (COUNTED, COUNTED, COUNTED),
    "first answer after the lease has ended, a slot is free": (COUNTED, COUNTED, SURPLUS_CLOSED),
    "first answer after the lease has ended, the slot is taken": (SURPLUS, SURPLUS, SURPLUS_CLOSED),
    "change an answer within the window": (YES, YES, CLOSED),
    "change an answer after the window": (TOO_LATE, TOO_LATE, CLOSED),
    "report a pair: in hand, ended or answered": (YES, YES, YES),
    "release a pair: in hand or ended": (YES, YES, YES),
}
#: What a batch in review or accepted comes to where the study runs; everything else is as in an open one.
IN_CHECKED_BATCH = {
    "lease a new pair": FINISHED,
    "be shown the next pair": FINISHED,
    "take back a pair whose lease has ended": CHECKED,
    "first answer on a live lease": SURPLUS_CHECKED,
    "first answer after the lease has ended, a slot is free": SURPLUS_CHECKED,
    "first answer after the lease has ended, the slot is taken": SURPLUS_CHECKED,
    "change an answer within the window": CHECKED,
    "change an answer after the window": CHECKED,
}
WITHDRAWN = {
    "lease a new pair": CONSENT,
    "be shown the next pair": CONSENT,
    "take back a pair whose lease has ended": CONSENT,
    "save a draft after the lease has ended": CONSENT,
    "skip after the lease has ended": YES,
    "first answer after the lease has ended, a slot is free": CONSENT,
    "first answer after the lease has ended, the slot is taken": CONSENT,
    "change an answer within the window": CONSENT,
    "change an answer after the window": TOO_LATE,
    "report a pair: in hand, ended or answered": YES,
    "release a pair: in hand or ended": YES,
}
NOT_TAKEN_BACK = ("cap", "break", "consent", "excluded", "guideline", "qualification", "held")


def expected(row: str, study_state: str, batch_state: str) -> set[str]:
    """What may come of it: where study and batch both have something against it, the code of either."""
    by_study = dict(zip(("running", "paused", "closed"), BY_STUDY[row], strict=True))[study_state]
    if batch_state in ("open", "annotated", "returned") or row not in IN_CHECKED_BATCH:
        return {by_study}
    by_batch = IN_CHECKED_BATCH[row]
    return {by_batch} if by_study in (YES, COUNTED) else {by_study, by_batch}


def test_each_action_in_each_state_comes_to_what_was_decided_and_the_page_says_so():
    walked = accepted.walk()
    assert {row for row, _, _ in walked} == set(BY_STUDY)
    wrong = {case: said for case, said in walked.items() if said not in expected(*case)}
    assert wrong == {}
    withdrawn = accepted.walk_withdrawn()
    assert {row: said for row, said in withdrawn.items() if row in WITHDRAWN} == WITHDRAWN
    taking_back = accepted.walk_taking_back()
    assert list(taking_back.values()) == [f"no: `{code}`" for code in NOT_TAKEN_BACK]
    page = accepted.page(walked, withdrawn, taking_back)
    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page, (
        f"{PAGE.name} is out of date. Write it anew: "
        "WRITE_DOCS=1 .venv/bin/python -m pytest tests/annotation/test_accepted_by_state.py"
    )
