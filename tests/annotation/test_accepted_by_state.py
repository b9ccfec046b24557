"""What each state of a study and of a batch accepts (decision 023): the whole table, tried over the API, and its page
in the documentation."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from tests.annotation import accepted

pytestmark = pytest.mark.django_db

PAGE = Path(settings.BASE_DIR) / "docs" / "accepted-by-state.md"

YES, COUNTED = "yes", "counted"
PAUSED, FINISHED, CLOSED = "no: `paused`", "no: `finished`", "no: `study_closed`"
ENDED = "no: `closed`"
SURPLUS = "kept, not counted: `surplus`"
SURPLUS_CLOSED, SURPLUS_CHECKED = (f"kept, not counted: `surplus_{what}_closed`" for what in ("study", "batch"))
CHECKED, TOO_LATE, CONSENT = "no: `batch_closed`", "no: `too_late`", "no: `consent`"

#: Each row: running, paused, closed. The batch is open.
BY_STUDY = {
    "lease a new pair": (YES, PAUSED, ENDED),
    "move to the next pair": (YES, PAUSED, ENDED),
    "renew a live lease": (YES, YES, YES),
    "renew a lease that has ended": (YES, PAUSED, CLOSED),
    "save a draft on a live lease": (YES, YES, YES),
    "save a draft after the lease has ended": (YES, YES, CLOSED),
    "skip on a live lease": (YES, YES, YES),
    "skip after the lease has ended": (YES, YES, CLOSED),
    "first answer on a live lease": (COUNTED, COUNTED, COUNTED),
    "first answer after the lease has ended, a slot is free": (COUNTED, COUNTED, SURPLUS_CLOSED),
    "first answer after the lease has ended, the slot is taken": (SURPLUS, SURPLUS, SURPLUS_CLOSED),
    "change an answer within the time limit": (YES, YES, CLOSED),
    "change an answer after the time limit": (TOO_LATE, TOO_LATE, CLOSED),
    "report a pair: leased, ended or answered": (YES, YES, YES),
    "release a pair: leased or ended": (YES, YES, YES),
}
#: Outcomes in a batch in review or accepted of a running study. All others are the same as in an open batch.
IN_CHECKED_BATCH = {
    "lease a new pair": FINISHED,
    "move to the next pair": FINISHED,
    "renew a lease that has ended": CHECKED,
    "first answer on a live lease": SURPLUS_CHECKED,
    "first answer after the lease has ended, a slot is free": SURPLUS_CHECKED,
    "first answer after the lease has ended, the slot is taken": SURPLUS_CHECKED,
    "change an answer within the time limit": CHECKED,
    "change an answer after the time limit": CHECKED,
}
WITHDRAWN = {
    "lease a new pair": CONSENT,
    "move to the next pair": CONSENT,
    "renew a lease that has ended": CONSENT,
    "save a draft after the lease has ended": CONSENT,
    "skip after the lease has ended": YES,
    "first answer after the lease has ended, a slot is free": CONSENT,
    "first answer after the lease has ended, the slot is taken": CONSENT,
    "change an answer within the time limit": CONSENT,
    "change an answer after the time limit": TOO_LATE,
    "report a pair: leased, ended or answered": YES,
    "release a pair: leased or ended": YES,
}
NOT_RENEWED = ("cap", "break", "consent", "excluded", "guideline", "qualification", "suspended", "work_paused", "held")


def expected(row: str, study_state: str, batch_state: str) -> set[str]:
    """Return the possible outcomes. If study and batch both refuse, the error code may be that of either."""
    by_study = dict(zip(("running", "paused", "closed"), BY_STUDY[row], strict=True))[study_state]
    if batch_state in ("open", "annotated", "returned") or row not in IN_CHECKED_BATCH:
        return {by_study}
    by_batch = IN_CHECKED_BATCH[row]
    return {by_batch} if by_study in (YES, COUNTED) else {by_study, by_batch}


@pytest.mark.long
def test_each_action_in_each_state_has_the_decided_outcome_and_is_on_the_page():
    walked = accepted.walk()
    assert {row for row, _, _ in walked} == set(BY_STUDY)
    wrong = {case: result for case, result in walked.items() if result not in expected(*case)}
    assert wrong == {}
    withdrawn = accepted.walk_withdrawn()
    assert {row: result for row, result in withdrawn.items() if row in WITHDRAWN} == WITHDRAWN
    renewals = accepted.walk_renewals()
    assert list(renewals.values()) == [f"no: `{code}`" for code in NOT_RENEWED]
    page = accepted.page(walked, withdrawn, renewals)
    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page, (
        f"{PAGE.name} is out of date. Write it anew: "
        "WRITE_DOCS=1 .venv/bin/python -m pytest tests/annotation/test_accepted_by_state.py"
    )
