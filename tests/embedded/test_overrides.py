"""DATABASE_URL, REDIS_URL, FFMPEG and FFPROBE name other servers and programs. Server settings can be added."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from diptych.embedded import EmbeddedError, binaries, start
from diptych.embedded.servers import Servers
from tests.embedded.observing import addresses, broker, rows, run_embedded


@pytest.mark.long
def test_server_from_the_environment_is_not_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folder / "fresh"
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db.example/mine")
    with start(home) as servers:
        assert servers.database_url == "postgresql://me@db.example/mine"
        assert broker(servers.redis_url).ping()
        assert not (home / "postgres").exists()
        assert addresses(home)["database_url"] == servers.database_url


@pytest.mark.long
def test_nothing_is_started_or_held_when_both_are_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folder / "fresh"
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db.example/mine")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    with start(home) as servers, start(home):
        assert servers.alive()
    assert not home.exists()


@pytest.mark.long
def test_command_gets_the_addresses_and_its_status_is_passed_on(home: Path) -> None:
    ran = run_embedded(home, "sh", "-c", "echo $DATABASE_URL; echo $REDIS_URL; exit 7")
    assert ran.stdout.split() == [addresses(home)["database_url"], addresses(home)["redis_url"]]
    assert ran.returncode == 7


@pytest.mark.long
def test_command_that_does_not_exist_gets_a_sentence(home: Path) -> None:
    ran = run_embedded(home, "/no/such/program")
    assert ran.returncode == 127
    assert ran.stderr == "/no/such/program could not be started: No such file or directory.\n"


@pytest.mark.long
def test_settings_can_be_added(home: Path) -> None:
    with start(home, postgres_settings={"work_mem": "7MB", "max_connections": "33"}) as servers:
        assert rows(servers.database_url, "SHOW work_mem") == [("7MB",)]
        assert rows(servers.database_url, "SHOW max_connections") == [("33",)]


@pytest.mark.long
def test_stop_can_be_called_twice_and_a_start_can_follow(home: Path) -> None:
    servers = start(home)
    servers.stop()
    servers.stop()
    with start(home) as again:
        assert isinstance(again, Servers)


@pytest.mark.long
@pytest.mark.parametrize("program", [binaries.ffmpeg, binaries.ffprobe])
def test_ffmpeg_and_ffprobe_come_from_the_wheel_and_run(program) -> None:
    said = subprocess.run([program(), "-version"], capture_output=True, text=True, check=True).stdout
    assert re.match(rf"{program.__name__} version n[89]\.", said)
    assert "site-packages" in program()


@pytest.mark.long
def test_ffmpeg_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFMPEG", "true")
    assert binaries.ffmpeg() == shutil.which("true")
    monkeypatch.setenv("FFMPEG", "/no/such/ffmpeg")
    with pytest.raises(EmbeddedError, match="FFMPEG is set to /no/such/ffmpeg, which is not a program"):
        binaries.ffmpeg()
