"""Scripts that several people follow at the same moment: as threads in step, or as processes at their own pace."""

import itertools
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from threading import Barrier
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.models import User
from studies.models import Study
from tests import factories
from tests.annotation.crowd import Somebody, Surroundings

#: One action: what, and what it picks. Actions that somebody does not have are the surroundings'.
Action = tuple[str, int]
Script = Sequence[Action]
PATIENCE_S = 30


def do(somebody: Somebody, action: Action) -> None:
    what, pick = action
    who: Any = somebody if hasattr(somebody, what) else Surroundings(somebody.study)
    who.act(what, pick)


def in_step(people: Sequence[Somebody], scripts: Sequence[Script]) -> list[BaseException]:
    """Everybody follows their script on a connection of their own, each step at the same moment as all others."""
    steps = max(map(len, scripts))
    barrier = Barrier(len(scripts))

    def follow(somebody: Somebody, script: Script) -> BaseException | None:
        failed = None
        try:
            for step in range(steps):
                barrier.wait(PATIENCE_S)
                if step < len(script) and failed is None:
                    try:
                        do(somebody, script[step])
                    except Exception as error:  # the others must not wait for this one at the barrier
                        failed = error
        finally:
            connection.close()
        return failed

    with ThreadPoolExecutor(len(scripts)) as pool:
        outcomes = pool.map(follow, people, scripts)
    return [error for error in outcomes if error is not None]


# --- Processes ----------------------------------------------------------------------------------------------

#: Processes start as copies of one that has imported the product and has no connection yet. Each looks into the
#: main module again, which is pytest's.
MULTI = multiprocessing.get_context("forkserver")
MULTI.set_forkserver_preload(["tests.annotation.prepared", "pytest"])
COMMITTED, STAYING, FAILED, ENDED = "committed", "staying", "failed", "ended"


def start_the_original() -> None:
    """Starts the process that others are copies of, on the test database. Starting it again does nothing."""
    address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    given = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = address
    try:
        forkserver.ensure_running()
    finally:
        os.environ["DATABASE_URL"] = given


@dataclass
class Report:
    """What a process told before it ended."""

    tried: dict[str, Any] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    revised: dict[str, int] = field(default_factory=dict)
    failed: str = ""


class Separate:
    """Somebody in a process of their own, that follows a script and tells what was acknowledged after each action.

    With `stays`, it does the last action in a transaction that it never commits, and waits there to be killed.
    """

    def __init__(self, somebody: Somebody, script: Script, *, stays: bool = False) -> None:
        start_the_original()
        self.channel, theirs = MULTI.Pipe()
        arguments = (theirs, somebody.study.pk, somebody.user.pk, list(script), stays)
        self.process = MULTI.Process(target=follow, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        self.report = Report()
        self.backend: int = self.channel.recv()

    def go(self) -> None:
        self.channel.send("go")

    def told(self, until: str) -> bool:
        """Reads what the process tells until it has told this; False if it ended first, or waits for a lock."""
        deadline = time.monotonic() + PATIENCE_S
        try:
            while True:
                while not self.channel.poll(0.1):
                    if until != ENDED and self.waits_for_a_lock():
                        return False
                    assert time.monotonic() < deadline, "a process is silent"
                what, value = self.channel.recv()
                if what == FAILED:
                    self.report.failed = value
                elif value is not None:
                    self.report = Report(*value)
                if what == until:
                    return True
        except (EOFError, ConnectionError):
            return False

    def waits_for_a_lock(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [self.backend])
            return cursor.fetchone() == ("Lock",)

    def kill(self) -> None:
        """SIGKILL; what the process had not committed is undone. Harmless to one that has ended."""
        self.process.kill()

    def join(self) -> Report:
        """What the process told, when it has ended."""
        self.told(until=ENDED)
        self.process.join(PATIENCE_S)
        return self.report


@contextmanager
def separate(
    people: Sequence[Somebody], scripts: Sequence[Script], staying: Collection[int] = ()
) -> Iterator[list[Separate]]:
    """Each of the people in a process of their own, ready to go; none is left in the end."""
    processes: list[Separate] = []
    try:
        for number, (somebody, script) in enumerate(zip(people, scripts, strict=True)):
            processes.append(Separate(somebody, script, stays=number in staying))
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.process.join()


def follow(channel: Connection, study_id: int, person_id: int, script: Script, stays: bool) -> None:
    """What runs in the other process."""
    study, user = Study.objects.get(pk=study_id), User.objects.get(pk=person_id)
    somebody = Somebody(study, user)
    factories._numbers = itertools.count(os.getpid() * 1_000_000)  # the other processes count too
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        channel.send(cursor.fetchone()[0])
    channel.recv()
    try:
        for number, action in enumerate(script):
            if stays and number == len(script) - 1:
                with transaction.atomic():
                    do(somebody, action)
                    channel.send((STAYING, None))
                    signal.pause()
            do(somebody, action)
            channel.send((COMMITTED, (somebody.tried, somebody.acknowledged, somebody.revised)))
    except Exception:
        channel.send((FAILED, traceback.format_exc()))


# --- Deadlocks ----------------------------------------------------------------------------------------------


@contextmanager
def no_deadlocks() -> Iterator[None]:
    """Deadlocks are looked for at once instead of after a second, and none may be in the server's log afterwards."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    log = settings.HOME.log("postgres")
    begins = log.stat().st_size
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '20ms'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} RESET deadlock_timeout")
    with log.open("rb") as file:
        file.seek(begins)
        assert b"deadlock detected" not in file.read()
