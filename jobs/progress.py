"""How a job says how far it is."""

import time
from typing import Any

from jobs import engine
from jobs.engine import Cancelled
from jobs.models import Job
from jobs.policy import Policy

#: A row is written this often, in seconds, although nothing changed.
UNCHANGED_S = 5.0


class Progress:
    """Report stages of work: `begin` one of `total` steps, then `advance`; `end` after the last. This one says nothing.

    `begin` and `advance` may raise what ends the work.
    """

    def begin(self, stage: str, total: int) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def end(self) -> None: ...


class JobProgress(Progress):
    """Write the progress of a claimed job into its row. `begin` and `advance` raise Cancelled and TakenOver.

    The row is written by `beat`, which a heartbeat calls from another thread and so over another connection: what it
    says is seen at once, though the job's own transaction may stay open for long.
    """

    def __init__(self, policy: "Policy[Any]", job: Job, shown: Progress | None = None) -> None:
        self.policy, self.job = policy, job
        self.shown = shown or Progress()
        self.stage, self.steps, self.steps_total = "", 0, 0
        self.cancel_asked = False
        self._written: dict[str, Any] = {}
        self._written_at = float("-inf")

    def begin(self, stage: str, total: int) -> None:
        self.go_on_or_raise()
        self.shown.begin(stage, total)
        self.stage, self.steps, self.steps_total = stage, 0, total

    def advance(self, steps: int = 1) -> None:
        self.steps += steps
        self.shown.advance(steps)
        if self.cancel_asked:
            raise Cancelled

    def end(self) -> None:
        self.shown.end()

    def go_on_or_raise(self) -> None:
        """Look at the row. Raises Cancelled and TakenOver."""
        engine.go_on_or_raise(self.policy, self.job.pk, self.job.fence)

    def columns(self) -> dict[str, Any]:
        """Return the row's columns that say how far the job is."""
        steps = min(self.steps, self.steps_total)
        return {"stage": self.stage, "steps": steps, "steps_total": self.steps_total}

    def beat(self) -> None:
        """Keep the claim, say how far the job is, and see whether somebody cancelled it.

        The row is written only when there is something new, or when its heartbeat is a few seconds old.
        """
        columns = self.columns()
        if columns != self._written or time.monotonic() - self._written_at > UNCHANGED_S:
            now = engine.beat(self.policy, self.job.pk, self.job.fence, **columns)
            self._written, self._written_at = columns, time.monotonic()
        else:
            now = engine.look(self.policy, self.job.pk, self.job.fence)
        self.cancel_asked = now.cancel_asked
