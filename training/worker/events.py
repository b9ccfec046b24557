"""Read what a program says: one JSON object a line, in a file that grows."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: A longer line is no event.
LONGEST_LINE = 1 << 20
#: The most points of each loss curve in one report. Of more, evenly spaced ones are sent, and the last.
MOST_POINTS = 200
LOG_CHARACTERS = 64_000
#: The most bytes of a part of a report: a request may have 256 kB.
MOST_BYTES = 100_000


class Events:
    """A file of events. `new` yields what was added since the last call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def new(self) -> Iterator[dict[str, Any]]:
        """Yield the complete lines that are JSON objects. Other lines are left out."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        return
                    self._offset += len(line)
                    if (event := _parsed(line)) is not None:
                        yield event
        except FileNotFoundError:
            return


def _parsed(line: bytes) -> dict[str, Any] | None:
    if len(line) > LONGEST_LINE:
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class State:
    """What a program said so far, and what of it the server does not know yet."""

    def __init__(self) -> None:
        self.progress: dict[str, Any] = {"stage": "starting", "steps": 0, "steps_total": 0}
        #: Losses by part (training or validation) and step.
        self.points: dict[tuple[str, int], float] = {}
        self.preflight: dict[str, Any] | None = None
        self.failed: dict[str, Any] = {}
        self.is_done = False
        self._steps_total = 0

    def add(self, event: dict[str, Any]) -> None:
        """Note one event. Unknown events and fields are left out."""
        kind = event.get("event")
        if kind == "started":
            self._steps_total = _number(event.get("steps"))
        elif kind == "preflight" and isinstance(event.get("report"), dict):
            self.preflight = finite(event["report"])
        elif kind == "stage":
            steps, total = _number(event.get("done")), _number(event.get("of"))
            self.progress = {"stage": str(event.get("stage", ""))[:80], "steps": steps, "steps_total": total}
        elif kind == "step":
            step = self._point("training", event)
            self.progress = {"stage": "training", "steps": step, "steps_total": max(self._steps_total, step)}
        elif kind == "validated":
            self._point("validation", event)
        elif kind == "failed":
            self.failed = event
        elif kind == "done":
            self.is_done = True

    def _point(self, part: str, event: dict[str, Any]) -> int:
        """Note the loss of a part after a step, and return the step."""
        step, loss = _number(event.get("step")), event.get("loss")
        if isinstance(loss, int | float) and math.isfinite(loss):
            self.points[part, step] = float(loss)
        return step

    def take_points(self) -> list[dict[str, Any]]:
        """Return the points that were not sent yet, and forget them."""
        points, self.points = self.points, {}
        sent: list[dict[str, Any]] = []
        for part in ("training", "validation"):
            mine = sorted((step, loss) for (of, step), loss in points.items() if of == part)
            apart = -(-len(mine) // MOST_POINTS) or 1
            sent += [{"part": part, "step": step, "loss": loss} for step, loss in mine[::-apart][::-1]]
        return sent

    def take_preflight(self) -> dict[str, Any] | None:
        """Return the report of the check if it was not sent yet."""
        found, self.preflight = self.preflight, None
        if found is not None and len(json.dumps(found).encode()) > MOST_BYTES:
            return {"too_long": True}  # the whole report is in preflight.json
        return found


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) and 0 <= value < 2**53 else 0


def finite(value: Any) -> Any:
    """Return a copy of a JSON value with null for numbers that are not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: finite(inner) for name, inner in value.items()}
    return [finite(inner) for inner in value] if isinstance(value, list) else value


def tail(path: Path) -> str:
    """Return the end of a log as text that the server can store; empty if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MOST_BYTES))
            raw = file.read()
    except OSError:
        return ""
    text = raw.decode("utf-8", "replace")
    text = "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")[-LOG_CHARACTERS:]
    while len(json.dumps(text, ensure_ascii=False).encode()) > MOST_BYTES:
        text = text[len(text) // 4 :]
    return text
