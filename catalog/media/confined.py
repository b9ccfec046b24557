"""Starts ffmpeg or ffprobe on a stranger's file: with limits that the kernel keeps, and without a network where it can.

A program of its own, with nothing but the standard library, so that it starts in some 20 ms and no thread of the
worker is caught in a fork: `confined.py PARENT MEMORY CPU_S FILE_SIZE COMMAND…`. What it does to itself holds for the
command, which takes its place. On Linux the command ends with its parent, even if that is killed.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
CLONE_NEWUSER = 0x10000000  # <linux/sched.h>
CLONE_NEWNET = 0x40000000
COULD_NOT_START = 127


def main(arguments: list[str]) -> int:
    parent, memory, cpu_s, file_size = map(int, arguments[:4])
    command = arguments[4:]
    end_with(parent)
    leave_the_network()
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_CORE, 0),
    ):
        lower(kind, most)
    for ignored_by_python in (signal.SIGXFSZ, signal.SIGPIPE):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606 - a list, no shell
    except OSError as error:
        print(f"confined: {command[0]} could not be started: {error}", file=sys.stderr)  # noqa: T201
    return COULD_NOT_START


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
    sys.exit(main(sys.argv[1:]))
