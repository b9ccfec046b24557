"""What pages say about any job: how far it is, what may be done with it, and what came of it."""

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
    """One stage, how long it took, and whether it is the present one."""

    name: str
    took: str
    now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCard:
    """A job in words. Addresses are empty where there is nothing to do or to see."""

    title: str
    state: str
    state_label: str
    #: When it was asked for; of work that nobody asks for, when it last got further.
    created_at: datetime
    #: What the job is about, in a line, and who asked for it.
    about: str = ""
    asked_by: str = ""
    #: What it is doing, why it waits, and how far it is.
    said: str = ""
    note: str = ""
    how_far: str = ""
    steps: int = 0
    total: int = 0
    stages: list[Stage] = field(default_factory=list)
    #: What people should know while it runs, and what came of it once it ended.
    meanwhile: str = ""
    outcome: str = ""
    #: Its own page; where its progress can be read; where to send what is to be done with it.
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
        """Whether the job has not ended."""
        return bool(self.said)

    def live(self) -> dict[str, Any]:
        """Return what of a page changes while the job waits or runs. With another `version` all of it does."""
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
    """Return what every job's card says in the same way.

    `doing` is what the job does when it runs, and `cancel` is where to cancel it, which is left out once somebody did.
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
    """Return the stages of a log, each with how long it took until the next. The last line is the present stage."""
    known = [(_(line["stage"]), datetime.fromisoformat(line["at"])) for line in log]
    found = [Stage(name, lasting(after - at), False) for (name, at), (_name, after) in pairwise(known)]
    if known and is_running:
        name, at = known[-1]
        found.append(Stage(name, lasting(timezone.now() - at), True))
    return found


def lasting(duration: timedelta) -> str:
    """Return how long something took, in words. Seconds say nothing of what took longer than ten minutes."""
    seconds = max(0.0, duration.total_seconds())
    return in_words(seconds, to=SECOND if seconds < 10 * MINUTE else MINUTE)
