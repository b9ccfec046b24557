"""`make demo` without the demo: its message when it can't start, and what a reset deletes."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from diptych import demo
from diptych.embedded import Home, start
from tests.embedded.observing import REPOSITORY, clean_environment


def run_demo(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "diptych.demo", *arguments],
        cwd=REPOSITORY,
        env=clean_environment(DIPTYCH_HOME=str(home), **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "port", ["eighty", *(pytest.param(port, marks=pytest.mark.long) for port in ("0", "65536", "-1", "80.5", "²"))]
)
def test_invalid_port_gets_a_sentence(folder: Path, port: str) -> None:
    ran = run_demo(folder / "home", PORT=port)
    assert ran.returncode == 1
    assert ran.stderr == (
        f"PORT is {port!r}, which is not a port number. Give a number from 1 to 65535: `PORT=8001 make demo`.\n"
    )


def test_port_in_use_gets_a_sentence_and_nothing_is_started(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run_demo(folder / "home", PORT=str(port))
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"Port {port} is in use by another program. Choose another one: `PORT=")
    assert not (folder / "home").exists()


@pytest.mark.long
@pytest.mark.parametrize("arguments", [(), ("--reset", "--yes")])
def test_running_demo_is_not_touched_and_its_address_is_printed(home: Path, arguments: tuple[str, ...]) -> None:
    with start(home, purpose="the demo at http://127.0.0.1:8765") as servers:
        ran = run_demo(home, *arguments, PORT="8766")
        assert servers.alive()
    assert ran.returncode == 1
    assert ran.stderr.startswith(
        f"The demo already runs at http://127.0.0.1:8765 (process {os.getpid()}). Stop it there with Ctrl-C"
    )


@pytest.mark.long
def test_home_that_a_test_run_holds_gets_a_sentence(home: Path) -> None:
    with start(home, purpose="tests"):
        ran = run_demo(home, PORT="8766")
    assert ran.returncode == 1
    assert f"{home} is in use by process {os.getpid()} (tests)." in ran.stderr


def test_reset_without_a_terminal_does_not_ask(home_to_harm: Path) -> None:
    ran = run_demo(home_to_harm, "--reset")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert not home_to_harm.exists()


def test_reset_of_nothing_says_so(folder: Path) -> None:
    ran = run_demo(folder / "home", "--reset")
    assert (ran.returncode, ran.stdout) == (
        0,
        f"There is nothing to delete: {folder}/home does not exist.\n",
    )


@pytest.mark.long
def test_reset_at_a_terminal_asks_and_takes_only_yes(home_to_harm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "diptych.demo", "--reset"]
    environment = clean_environment(DIPTYCH_HOME=str(home_to_harm))
    for answer, left in ((b"no\n", True), (b"yes\n", False)):
        os.write(ours, answer)
        subprocess.run(command, cwd=REPOSITORY, env=environment, stdin=theirs, stdout=theirs, timeout=30)
        assert home_to_harm.exists() == left
    os.close(ours)
    os.close(theirs)


def test_stop_signal_while_starting_ends_everything(folder: Path) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-m", "diptych.demo"],
        cwd=REPOSITORY,
        env=clean_environment(DIPTYCH_HOME=str(folder / "home"), PORT="8767"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert starting.stdout is not None
    starting.stdout.readline()
    starting.send_signal(signal.SIGINT)
    said = starting.communicate(timeout=30)[0]
    assert "Stopped." in said
    assert "Traceback" not in said
    assert not Home(folder / "home").is_held()


def test_clock_that_was_killed_is_started_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with start(home) as servers:
        programs = demo.Programs(servers, port=1)
        programs.running.append(demo.Program(programs.clock, programs.clock()))
        try:
            [clock] = programs.running
            programs.restart_ended()
            first = clock.process.pid
            os.kill(first, signal.SIGKILL)
            clock.process.wait(30)
            programs.restart_ended()
            assert clock.process.is_alive()
            assert clock.process.pid != first
        finally:
            programs.stop()
    assert "The clock ended (killed by signal 9)" in capsys.readouterr().out


def test_program_that_keeps_ending_is_given_up() -> None:
    restarts: list[float] = []
    for _ in range(demo.GIVE_UP):
        demo.count_restart(restarts, "The worker")
    with pytest.raises(demo.EmbeddedError, match="The worker has ended 4 times in a minute"):
        demo.count_restart(restarts, "The worker")
