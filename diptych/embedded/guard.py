"""Run one command, and end it with everything that it started when the process that wanted it is gone.

This is a program of its own that uses only the standard library: `guard.py [options] -- COMMAND...`. It ends the
command when one of these happens: its parent closes the channel, its parent is another process than at the start, or it
receives SIGTERM, SIGINT or SIGHUP. It sends the stop signal, waits some seconds, then sends SIGKILL to the whole group.
On Linux it also adopts the processes that the command leaves behind. If the guard itself is killed, the kernel sends
the command the stop signal (PR_SET_PDEATHSIG). So after kill -9 of any of them nothing is left running.
"""

import argparse
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
COULD_NOT_START = 127
SWEEP_LIMIT = 5.0  # seconds


def main(arguments: list[str] | None = None) -> int:
    """Run the command to its end. Return its exit status, or 128 + n if signal n ended it."""
    options = parse(arguments)
    signals = Signals()
    prctl = linux_prctl()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        child = spawn(options, prctl)
    except OSError as error:
        print(f"guard: {options.command[0]} could not be started: {error}", file=sys.stderr)  # noqa: T201
        return COULD_NOT_START
    if options.channel is not None:
        os.write(options.channel, f"{child}\n".encode())
    status = watch(child, options, signals)
    if status is None:
        status = end(child, options, signals)
    sweep(child)
    return status


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="guard", description=__doc__.splitlines()[0])
    parser.add_argument("--channel", type=int, help="descriptor whose other end the parent keeps open")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process whose end ends the command")
    parser.add_argument("--stop-signal", type=int, default=signal.SIGTERM)
    parser.add_argument("--grace", type=float, default=10.0, help="seconds between stop signal and SIGKILL")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--keep", type=int, action="append", default=[], help="descriptor for the command")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


class Signals:
    """Stop signals and ends of children, as bytes that can be waited for."""

    def __init__(self) -> None:
        self.descriptor, writer = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def stop_wanted(self) -> bool:
        """Return whether a stop signal has come since the last call."""
        try:
            return any(number in STOP_SIGNALS for number in os.read(self.descriptor, 4096))
        except BlockingIOError:
            return False


def linux_prctl() -> Callable[[int, int], int]:
    """Return prctl(2), which must be found before the fork.

    Elsewhere than on Linux, return a function that does nothing.
    """
    if sys.platform != "linux":
        return lambda option, value: 0
    return ctypes.CDLL(None).prctl


def spawn(options: argparse.Namespace, prctl: Callable[[int, int], int]) -> int:
    """Start the command in a session of its own, as the wanted user. Return its process id."""
    guard = os.getpid()

    def die_with_guard() -> None:
        # This comes after the change of user, which clears the setting. By then the guard may already be gone.
        prctl(PR_SET_PDEATHSIG, options.stop_signal)
        if os.getppid() != guard:
            os._exit(COULD_NOT_START)

    child = subprocess.Popen(
        options.command,
        start_new_session=True,
        user=options.uid,
        group=options.gid,
        extra_groups=None if options.uid is None else [],
        pass_fds=options.keep,
        preexec_fn=die_with_guard,
    )
    child.returncode = 0  # `reap` collects it, not Popen
    return child.pid


def watch(child: int, options: argparse.Namespace, signals: Signals) -> int | None:
    """Wait. Return the command's status if it ended by itself, or None if it must be ended."""
    sources = [signals.descriptor] if options.channel is None else [signals.descriptor, options.channel]
    while True:
        # The channel reports this immediately. A forked copy of the parent may keep it open, so getppid is checked too.
        ready, _, _ = select.select(sources, [], [], 1.0)
        status = reap(child)
        if status is not None:
            return status
        closed = options.channel in ready and not channel_open(options.channel)
        if signals.stop_wanted() or closed or os.getppid() != options.parent:
            return None


def channel_open(channel: int) -> bool:
    try:
        return bool(os.read(channel, 4096))
    except ConnectionResetError:
        return False


def end(child: int, options: argparse.Namespace, signals: Signals) -> int:
    """Stop the command: its stop signal, its grace period, then SIGKILL.

    A second stop signal cuts the grace period short.
    """
    os.kill(child, options.stop_signal)
    deadline = time.monotonic() + options.grace
    while (left := deadline - time.monotonic()) > 0:
        select.select([signals.descriptor], [], [], left)
        hurry = signals.stop_wanted()
        status = reap(child)
        if status is not None:
            return status
        if hurry:
            break
    os.killpg(child, signal.SIGKILL)
    while (status := reap(child)) is None:
        select.select([signals.descriptor], [], [], 0.1)
        signals.stop_wanted()
    return status


def reap(child: int) -> int | None:
    """Collect every process that has ended. Return the command's status if it is among them."""
    status = None
    while True:
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if pid == 0:
            return status
        if pid == child:
            code = os.waitstatus_to_exitcode(code)
            status = 128 - code if code < 0 else code


def sweep(child: int) -> None:
    """Kill what the ended command left behind: its group, then (on Linux) everything that the guard adopted instead."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    deadline = time.monotonic() + SWEEP_LIMIT
    while (left := adopted()) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reap(child)
        time.sleep(0.01)


def adopted() -> list[int]:
    """Return the guard's present children. The children of a killed one are adopted in turn."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
