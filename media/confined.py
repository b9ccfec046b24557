"""Start ffmpeg and ffprobe on untrusted files: with kernel limits, and without a network where that is possible.

This is a separate program that uses only the standard library: `confined.py PARENT`. It stays alive and runs one
command after the other, because Python needs longer to start than ffprobe to finish. It has only one thread, so unlike
the worker it can fork safely. Each line on its input is JSON with the arguments of `start`. It responds with one line:
the status of the ended command. Its own restrictions apply to all commands. On Linux the commands end with it, and it
ends with its parent, even if the parent is killed.
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
#: glibc reserves 64 MiB of addresses for each arena, with up to one per thread. They count towards the memory limit.
MALLOC_ARENAS = "2"
TOOK_TOO_LONG = 256  # no program has this exit code


def main(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends without a traceback
    end_with(parent)
    leave_the_network()
    os.putenv("MALLOC_ARENA_MAX", MALLOC_ARENAS)
    for line in sys.stdin:
        print(start(**json.loads(line)), flush=True)  # noqa: T201


def start(command: list[str], said: list[str], limits: list[tuple[int, int]], time_limit_s: float) -> int:
    """Run `command` to its end. Return its exit code, or a negative number for a signal, like subprocess.

    `said` are the files for its output and its error stream. `limits` are pairs of arguments of setrlimit(2). A command
    that exceeds `time_limit_s` seconds is killed, and `TOOK_TOO_LONG` is returned.
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
    """Replace this process by `command`."""
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
    """Have the kernel kill this process when `parent` ends, or now if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def leave_the_network() -> bool:
    """Move this process to an empty network of its own. Return whether the system permits that.

    Root may do so. Others may where user namespaces are allowed; containers and some distributions forbid them.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None).unshare
    return unshare(CLONE_NEWNET) == 0 or unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0


def lower(kind: int, most: int) -> None:
    """Set a limit permanently. A limit that is already lower is kept."""
    _, hard = resource.getrlimit(kind)
    limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(kind, (limit, limit))
    except ValueError:
        if sys.platform == "linux":  # macOS refuses some, such as that on memory
            raise


if __name__ == "__main__":
    main(int(sys.argv[1]))
