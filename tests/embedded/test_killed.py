"""Nothing is left running and nothing is lost, whichever process is killed."""

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from diptych.embedded import Servers, start
from diptych.embedded.guard import __file__ as guard_file
from diptych.embedded.process import Guarded
from tests.embedded.observing import (
    Holder,
    addresses,
    all_gone,
    broker,
    eventually,
    kill_all,
    postmaster,
    rows,
    tree,
    valkey_process,
)


def write(database_url: str, redis_url: str) -> None:
    rows(database_url, "DROP TABLE IF EXISTS kept")
    rows(database_url, "CREATE TABLE kept (n int)")
    rows(database_url, "INSERT INTO kept SELECT generate_series(1, 1000)")
    broker(redis_url).delete("kept")
    broker(redis_url).rpush("kept", *range(1000))


def assert_kept(servers: Servers) -> None:
    assert rows(servers.database_url, "SELECT count(*) FROM kept") == [(1000,)]
    assert broker(servers.redis_url).llen("kept") == 1000


def guards(parent: int) -> list[psutil.Process]:
    return [one for one in psutil.Process(parent).children() if guard_file in one.cmdline()]


@pytest.mark.long
def test_kill_9_of_the_parent_leaves_nothing_running_and_loses_nothing(home: Path) -> None:
    holder = Holder(home)
    write(addresses(home)["database_url"], addresses(home)["redis_url"])
    family = holder.family()
    assert len(family) > 5
    holder.end(signal.SIGKILL)
    eventually(lambda: all_gone(family), "the servers end when their parent is killed")
    with start(home) as servers:
        assert_kept(servers)


@pytest.mark.long
def test_start_right_after_kill_9_waits_for_the_old_servers(home: Path) -> None:
    holder = Holder(home)
    write(addresses(home)["database_url"], addresses(home)["redis_url"])
    before = addresses(home)
    holder.end(signal.SIGKILL)
    with start(home) as servers:  # at once: the old servers may still be ending
        assert_kept(servers)
        assert servers.database_url == before["database_url"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's parent-death signal")
def test_kill_9_of_parent_and_guards_leaves_nothing_running_and_loses_nothing(home: Path) -> None:
    holder = Holder(home)
    write(addresses(home)["database_url"], addresses(home)["redis_url"])
    family = holder.family()
    kill_all([*guards(holder.process.pid), psutil.Process(holder.process.pid)])
    holder.process.communicate(timeout=10)
    eventually(lambda: all_gone(family), "the servers end when their guards are killed as well")
    with start(home) as servers:
        assert_kept(servers)


@pytest.mark.long
def test_kill_9_of_everything_at_once_loses_nothing(home: Path) -> None:
    holder = Holder(home)
    write(addresses(home)["database_url"], addresses(home)["redis_url"])
    family = holder.family()
    kill_all(family)
    holder.process.communicate(timeout=10)
    eventually(lambda: all_gone(family), "everything is gone")
    with start(home) as servers:
        assert_kept(servers)


@pytest.mark.long
def test_kill_9_of_postmaster_is_noticed_and_survived(home: Path) -> None:
    with start(home) as servers:
        write(servers.database_url, servers.redis_url)
        os.kill(postmaster(home), signal.SIGKILL)
        eventually(lambda: not servers.alive(), "the end of PostgreSQL is noticed")
        assert "PostgreSQL ended (killed by signal 9)" in servers.endings()[0]
        address = servers.database_url
        servers.restart_ended()
        assert servers.alive()
        assert servers.database_url == address
        assert_kept(servers)


@pytest.mark.long
def test_kill_9_of_valkey_is_noticed_and_survived(home: Path) -> None:
    with start(home) as servers:
        write(servers.database_url, servers.redis_url)
        os.kill(valkey_process(home), signal.SIGKILL)
        eventually(lambda: not servers.alive(), "the end of Valkey is noticed")
        servers.restart_ended()
        assert_kept(servers)


@pytest.mark.long
def test_kill_9_of_a_guard_is_noticed_and_survived(home: Path) -> None:
    others = guards(os.getpid())  # of the test run's own servers
    with start(home) as servers:
        write(servers.database_url, servers.redis_url)
        kill_all([guard for guard in guards(os.getpid()) if guard not in others])
        eventually(lambda: len(servers.endings()) == 2, "the end of both guards is noticed")
        servers.restart_ended()
        assert_kept(servers)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop_signal_ends_everything_without_a_traceback(home: Path, number: signal.Signals) -> None:
    holder = Holder(home)
    family = holder.family()
    said = holder.end(number)
    assert all_gone(family)
    assert "Traceback" not in said
    assert holder.process.returncode == 0


def guarded_python(program: str, log: Path, **options) -> Guarded:
    """Run this program in a guarded Python. It must print `ready` when it has started its children."""
    guarded = Guarded("program", [sys.executable, "-c", program], log=log, **options)
    eventually(lambda: "ready" in guarded.last_lines(), "the program starts its children")
    return guarded


STUBBORN_CHILD = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(600)
"""
IN_OWN_SESSION = f"""
import subprocess, sys
subprocess.Popen([sys.executable, '-c', {STUBBORN_CHILD!r}], start_new_session=True).wait()
"""


@pytest.mark.long
def test_guard_kills_a_command_that_ignores_its_stop_signal(tmp_path: Path) -> None:
    guarded = guarded_python(STUBBORN_CHILD, tmp_path / "log", grace=0.2)
    family = tree(guarded.pid)
    guarded.stop()
    assert all_gone(family)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's child subreaper")
def test_guard_ends_grandchildren_in_sessions_of_their_own(tmp_path: Path) -> None:
    guarded = guarded_python(IN_OWN_SESSION, tmp_path / "log", grace=5.0)
    family = tree(guarded.pid)
    assert len(family) == 2
    guarded.stop()
    assert all_gone(family)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's child subreaper")
def test_guard_ends_grandchildren_when_the_command_is_killed(tmp_path: Path) -> None:
    guarded = guarded_python(IN_OWN_SESSION, tmp_path / "log")
    family = tree(guarded.pid)
    os.kill(guarded.pid, signal.SIGKILL)
    assert guarded.wait(10) == 128 + signal.SIGKILL
    assert all_gone(family)
    guarded.stop()


@pytest.mark.long
def test_servers_end_though_a_forked_copy_of_the_parent_lives_on(home: Path, tmp_path: Path) -> None:
    """A fork keeps the guards' channel open. The parent's end must be noticed even so."""
    program = f"""
import os, sys, time
from diptych.embedded import start
servers = start({str(home)!r})
copy = os.fork()
if copy == 0:
    time.sleep(60)
    os._exit(0)
print('ready', copy, flush=True)
time.sleep(60)
"""
    guarded = Guarded("program", [sys.executable, "-c", program], log=tmp_path / "log", cwd=Path.cwd())
    eventually(lambda: "ready" in " ".join(guarded.last_lines()), "the servers start")
    family = [one for guard in guards(guarded.pid) for one in tree(guard.pid)]
    copy = next(one for one in psutil.Process(guarded.pid).children() if guard_file not in one.cmdline())
    assert len(family) > 4
    # The outer guard would end everything, so it is stopped while the program is killed.
    outer = psutil.Process(guarded._guard.pid)
    outer.suspend()
    os.kill(guarded.pid, signal.SIGKILL)
    try:
        eventually(lambda: all_gone(family), "the servers end")
        assert copy.is_running()
    finally:
        outer.resume()
        guarded.stop()
