"""Starts ffmpeg and ffprobe on strangers' files: with limits that the kernel keeps, and without a network where it can.

A program of its own, with nothing but the standard library: `confined.py PARENT`. It stays and takes one command after
the other, because Python takes longer to start than ffprobe to answer. Having one thread, it may fork; the worker has
more. A line of JSON on its input is what `start` takes; it answers each with a line, how the command ended. What it
does to itself holds for all commands. On Linux they end with it, and it with its parent, even if that is killed.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import NoReturn

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
CLONE_NEWUSER = 0x10000000  # <linux/sched.h>
CLONE_NEWNET = 0x40000000
COULD_NOT_START = 127
#: glibc reserves 64 MiB of addresses for each of these, and takes up to one a thread. The limit on memory counts them.
MALLOC_ARENAS = "2"
TOOK_TOO_LONG = 256  # no program ends with this


def main(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends without a traceback
    end_with(parent)
    leave_the_network()
    os.putenv("MALLOC_ARENA_MAX", MALLOC_ARENAS)
    for line in sys.stdin:
        print(start(**json.loads(line)), flush=True)  # noqa: T201


def start(command: list[str], said: list[str], limits: list[tuple[int, int]], time_limit_s: float) -> int:
    """Runs `command` to its end: its exit code, or less than 0 for a signal, as subprocess has it.

    `said` are the files for its output and its error stream; `limits` are pairs as setrlimit(2) takes them.
    """
    launcher = os.getpid()
    child = os.fork()
    if child == 0:
        become(command, said, limits, launcher)
    late = False

    def end(*_: object) -> None:
        nonlocal late
        late = True
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, max(time_limit_s, 0.001))
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return TOOK_TOO_LONG if late else os.waitstatus_to_exitcode(status)


def become(command: list[str], said: list[str], limits: list[tuple[int, int]], parent: int) -> NoReturn:
    """Turns this process into `command`."""
    try:
        for number, path in enumerate([os.devnull, *said]):
            opened = os.open(path, os.O_RDWR | os.O_APPEND)
            os.dup2(opened, number)
            os.close(opened)
        end_with(parent)
        for kind, most in limits:
            lower(kind, most)
        for ignored_by_python in (signal.SIGXFSZ, signal.SIGPIPE):
            signal.signal(ignored_by_python, signal.SIG_DFL)
        os.execv(command[0], command)  # noqa: S606 - a list, no shell
    except Exception as error:
        os.write(2, f"confined: {command[0]} could not be started: {error}".encode())
    finally:
        os._exit(COULD_NOT_START)


def end_with(parent: int) -> None:
    """Has the kernel kill this process when `parent` is gone, which it may be already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def leave_the_network() -> bool:
    """Moves this process to a network of its own, in which there is nothing; whether the system permits it.

    Root may; others may where user namespaces are open to them, which containers and some distributions forbid.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None).unshare
    return unshare(CLONE_NEWNET) == 0 or unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0


def lower(kind: int, most: int) -> None:
    """Sets a limit for good; one that is lower already stays."""
    _, hard = resource.getrlimit(kind)
    limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(kind, (limit, limit))
    except ValueError:
        if sys.platform == "linux":  # macOS refuses some, such as that on memory
            raise


if __name__ == "__main__":
    main(int(sys.argv[1]))
