"""Start a program, and end it with all its children as soon as the worker is gone or says so.

The worker holds the other end of this process's standard input. If the worker is killed, however, the system closes it,
so that no program stays on a GPU. Guard, program and children are one process group.

    python -m training.worker.guard EXIT_FILE GRACE_S COMMAND…
"""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

#: Seconds between two looks at the program.
LOOK_EVERY_S = 0.1
#: From Linux's prctl.h: the signal that a process gets when its parent ends.
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run the program of the arguments, write its exit status into the file, and end the whole process group."""
    exit_file, grace_s, command = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # a handler, which the program does not inherit as SIG_IGN would be
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
    while program.poll() is None:
        if _worker_has_gone(LOOK_EVERY_S):
            os.killpg(0, signal.SIGTERM)
            _wait(program, grace_s)
            break
    if program.poll() is not None:
        aside = exit_file.with_name(f".{exit_file.name}.part")
        aside.write_text(str(program.returncode))
        os.replace(aside, exit_file)
    os.killpg(0, signal.SIGKILL)  # children that the program left, and this process


def _worker_has_gone(within_s: float) -> bool:
    """Return whether standard input was closed."""
    ready, _, _ = select.select([0], [], [], within_s)
    return bool(ready) and os.read(0, 1) == b""


def _wait(program: "subprocess.Popen[bytes]", grace_s: float) -> None:
    until = time.monotonic() + grace_s
    while program.poll() is None and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)


def _die_with_parent() -> None:
    """Let the system kill the program if this process is killed, where it can."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
