"""What pages show about a job: its progress, the possible actions, and the result."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from diptych.durations import MINUTE, SECOND, in_words
from diptych.numbers import grouped as grouped
from jobs.models import Job


class Stage(NamedTuple):
    """One stage, how long it took, and whether it is the current one."""

    name: str
    took: str
    now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCard:
    """A job in words for a page. An empty address means that there is no such page or action."""

    title: str
    state: str
    state_label: str
    #: When it was requested. For work that nobody requests: its last progress.
    created_at: datetime
    #: What the job is about, in one line, and who requested it.
    about: str = ""
    asked_by: str = ""
    #: The current activity, the reason for waiting, and the progress.
    said: str = ""
    note: str = ""
    how_far: str = ""
    steps: int = 0
    total: int = 0
    stages: list[Stage] = field(default_factory=list)
    #: What people should know while the job runs, and the result after it has ended.
    meanwhile: str = ""
    outcome: str = ""
    #: Addresses of its page and of its progress, and the actions with their texts.
    page: str = ""
    watch: str = ""
    cancel: str = ""
    cancel_ask: str = ""
    cancel_label: str = ""
    cancel_about: str = ""
    resume: str = ""
    resume_label: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether the job has not ended."""
        return bool(self.said)

    def live(self) -> dict[str, Any]:
        """Return the parts of the card that change while the job runs. A new `version` means that the whole card
        changes.
        """
        return {
            "version": self.state,
            "said": self.said,
            "note": self.note,
            "how_far": self.how_far,
            "steps": min(self.steps, self.total),
            "total": self.total,
            "stages": [stage._asdict() for stage in self.stages],
        }


def words(job: Job, *, doing: str, cancel: str = "") -> dict[str, Any]:
    """Return the fields that are the same on the card of every job.

    `doing` says what a running job does. `cancel` is the address that cancels it, which is left out after somebody
    did.
    """
    said, note = "", ""
    if job.is_open:
        said = doing
        if job.state == Job.State.WAITING and job.pauses:
            said, note = _("Waiting for another attempt"), _(job.reason) if job.reason else ""
        elif job.state == Job.State.WAITING:
            said, note = _("Waiting for a worker"), _("The job starts automatically as soon as a worker is free.")
        if job.cancel_asked_at:
            said, note = _("Being cancelled"), ""
    return {
        "state": job.state,
        "state_label": job.get_state_display(),
        "asked_by": job.asked_by.username if job.asked_by else "",
        "created_at": job.created_at,
        "said": said,
        "note": note,
        "steps": job.steps,
        "total": job.steps_total,
        "cancel": cancel if job.is_open and job.cancel_asked_at is None else "",
    }


def stages(log: Iterable[Mapping[str, Any]], *, is_running: bool) -> list[Stage]:
    """Return the stages of a log, each with how long it took. The last line is the current stage."""
    known = [(_(line["stage"]), datetime.fromisoformat(line["at"])) for line in log]
    found = [Stage(name, lasting(after - at), False) for (name, at), (_name, after) in pairwise(known)]
    if known and is_running:
        name, at = known[-1]
        found.append(Stage(name, lasting(timezone.now() - at), True))
    return found


def lasting(duration: timedelta) -> str:
    """Return a duration in words. Seconds are left out after ten minutes."""
    seconds = max(0.0, duration.total_seconds())
    return in_words(seconds, to=SECOND if seconds < 10 * MINUTE else MINUTE)
