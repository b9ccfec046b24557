"""What the programs print: one JSON object a line on the standard output, and how they end."""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

OK, CRASHED, BAD_INPUT, REFUSED, NOT_FINITE, STOPPED = 0, 1, 2, 3, 4, 75
#: More items than these are not listed in an event.
MOST_ITEMS = 50


class Failed(Exception):
    """The program cannot go on. `str()` of it says what is wrong, where, and what to do.

    Attributes:
        code: one word for programs, such as `leak`.
        exit_code: of the process.
        items: ids of the pairs, videos or clusters that are meant.
    """

    def __init__(self, code: str, message: str, exit_code: int = BAD_INPUT, items: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code, self.exit_code, self.items = code, exit_code, list(items[:MOST_ITEMS])


class Stopped(Exception):
    """SIGTERM came, and the checkpoint is written."""


class StopSignal:
    """Notes SIGTERM, so that the program ends after the step that it is at."""

    def __init__(self) -> None:
        self.came = False
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_signal: object) -> None:
        self.came = True

    def check(self) -> None:
        """Raise Stopped if SIGTERM came. Call it where nothing needs to be written."""
        if self.came:
            raise Stopped


def emit(event: str, **values: Any) -> None:
    """Print an event."""
    print_event(event, values)


def is_first() -> bool:
    """Return whether this is the only process of a program, or the first of several that a launcher has started."""
    return not int(os.environ.get("RANK", "0"))


def print_event(event: str, values: dict[str, Any]) -> None:
    """Print an event as one line, at once. Of several processes the first one prints, and whichever fails."""
    if event != "failed" and not is_first():
        return
    print(json.dumps({"event": event} | values, ensure_ascii=False, allow_nan=False), flush=True)  # noqa: T201


def run(program: Callable[[], Any], *, shared: bool = False) -> int:
    """Run a program to its end and return its exit code. A failure is printed as the last event.

    `shared` says that all processes of a launcher work together. Without it only the first one works: a frozen backbone
    and a small head need no more.
    """
    if not shared and not is_first():
        return OK
    try:
        program()
    except Failed as failed:
        emit("failed", code=failed.code, message=str(failed), items=failed.items)
        return failed.exit_code
    except OSError as error:
        emit("failed", code="storage", message=f"A file cannot be read or written: {error}", items=[])
        return CRASHED
    except Stopped:
        print("Stopped. Start again with --resume.", file=sys.stderr)  # noqa: T201
        return STOPPED
    return OK
