"""Report the progress of work."""

import time
from typing import Any

from jobs import engine
from jobs.engine import Cancelled
from jobs.models import Job
from jobs.policy import Policy

#: Seconds after which a row is written although nothing changed.
UNCHANGED_S = 5.0


class Progress:
    """Reports stages of work: `begin` a stage of `total` steps, then `advance`, and `end` after the last stage.

    This base class reports nothing. `begin` and `advance` may raise what ends the work.
    """

    def begin(self, stage: str, total: int) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def end(self) -> None: ...


class JobProgress(Progress):
    """Writes the progress of a claimed job into its row. `begin` and `advance` raise Cancelled and TakenOver.

    A heartbeat calls `beat` from another thread, with its own connection. So the progress is visible immediately, even
    while the transaction of the job stays open.
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
        """Raise Cancelled if somebody cancelled the job, and TakenOver if the claim no longer holds."""
        engine.go_on_or_raise(self.policy, self.job.pk, self.job.fence)

    def columns(self) -> dict[str, Any]:
        """Return the columns of the row that describe the progress."""
        steps = min(self.steps, self.steps_total)
        return {"stage": self.stage, "steps": steps, "steps_total": self.steps_total}

    def beat(self) -> None:
        """Keep the claim alive, write the progress, and check whether somebody cancelled the job.

        The row is written only if something changed, or if its heartbeat is a few seconds old.
        """
        columns = self.columns()
        if columns != self._written or time.monotonic() - self._written_at > UNCHANGED_S:
            now = engine.beat(self.policy, self.job.pk, self.job.fence, **columns)
            self._written, self._written_at = columns, time.monotonic()
        else:
            now = engine.look(self.policy, self.job.pk, self.job.fence)
        self.cancel_asked = now.cancel_asked
