"""Every error is one sentence: what, where, and what to do."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from diptych.embedded import EmbeddedError, Home, place, start, state
from diptych.embedded.postgres import Postgres
from diptych.embedded.servers import is_free
from tests.embedded.observing import (
    REPOSITORY,
    Holder,
    addresses,
    all_gone,
    clean_environment,
    eventually,
    kill_all,
    postmaster,
    rows,
    run_embedded,
    tree,
)
from tests.small_disk import small_disk as small_disk_at


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """Return a file system of 30 MB, which is less than a new cluster needs."""
    with small_disk_at(folder / "disk", "30m") as path:
        yield path


@pytest.mark.long
def test_second_start_is_told_who_holds_the_home(home: Path) -> None:
    with start(home, purpose="the first"):
        ran = run_embedded(home, "true")
    assert ran.returncode == 1
    assert ran.stderr == (
        f"{home} is in use by process {os.getpid()} (the first). Stop that one first, or set DIPTYCH_HOME to "
        "another folder to run a second beside it.\n"
    )


@pytest.mark.long
def test_two_starts_at_the_same_moment_give_one_set_of_servers(home: Path) -> None:
    command = [sys.executable, "-m", "diptych.embedded", "--home", str(home), "--", "cat"]
    both = [
        subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    eventually(lambda: any(one.poll() is not None for one in both), "one of them gives up")
    said = [one.communicate(timeout=30)[1] for one in both]
    assert sorted(one.returncode for one in both) == [0, 1]
    assert sum("is in use by process" in text for text in said) == 1
    assert "Traceback" not in "".join(said)


@pytest.mark.long
def test_two_homes_run_side_by_side(folder: Path) -> None:
    with start(folder / "one") as one, start(folder / "two") as two:
        assert one.database_url != two.database_url
        assert rows(one.database_url, "SELECT 1") == rows(two.database_url, "SELECT 1")


@pytest.mark.long
def test_almost_full_disk_gets_a_sentence_before_anything_starts(small_disk: Path) -> None:
    sentence = r"has \d+ MB left, and the servers need 300 MB\. Free some space, or set"
    with pytest.raises(EmbeddedError, match=sentence) as raised:
        start(small_disk / "home")
    assert str(small_disk / "home") in str(raised.value)


@pytest.mark.long
def test_disk_that_fills_up_while_the_cluster_is_made(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "ROOM_NEEDED", 0)
    small_disk.chmod(0o755)
    sentence = r"^The disk that holds .* is full\. Free some space, then start again\.$"
    with pytest.raises(EmbeddedError, match=sentence):
        start(small_disk / "home")
    assert not list((small_disk / "home").glob("postgres*"))
    assert not Home(small_disk / "home").is_held()


@pytest.mark.long
def test_interrupted_making_of_the_cluster_is_cleared_away(folder: Path) -> None:
    """initdb is killed halfway, together with its guard and its parent."""
    home = folder / "fresh"
    starting = subprocess.Popen(
        [sys.executable, "-m", "diptych.embedded", "--home", str(home), "--", "true"],
        cwd=REPOSITORY,
        env=clean_environment(),
    )
    eventually(lambda: list(home.glob("postgres.making-*/data/global")), "initdb begins")
    family = tree(starting.pid)
    kill_all(family)
    starting.wait(10)
    eventually(lambda: all_gone(family), "all are gone")
    assert list(home.glob("postgres.making-*"))
    assert not (home / "postgres").exists()
    with start(home) as servers:
        assert rows(servers.database_url, "SELECT 1") == [(1,)]
    assert not list(home.glob("postgres.making-*"))


@pytest.mark.long
def test_stale_pid_file_whose_number_now_belongs_to_another_program(home_to_harm: Path) -> None:
    holder = Holder(home_to_harm)
    file = Path(addresses(home_to_harm)["postgres_data"]) / "postmaster.pid"
    os.kill(postmaster(home_to_harm), signal.SIGKILL)
    holder.process.communicate(timeout=30)
    # PostgreSQL itself would take this process for a running postmaster if it had the same user.
    lines = file.read_text().splitlines()
    other = subprocess.Popen(["sleep", "60"], **({"user": "nobody"} if os.geteuid() == 0 else {}))
    try:
        file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        with start(home_to_harm) as servers:
            assert rows(servers.database_url, "SELECT 1") == [(1,)]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.long
def test_server_started_by_other_means_gets_a_sentence(home: Path) -> None:
    with start(home):
        pid = postmaster(home)
        database = Postgres(Home(home), place.find(Home(home)), ())
        sentence = rf"started by other means \(process {pid}\).*kill -INT {pid}"
        with pytest.raises(EmbeddedError, match=sentence):
            database.prepare()


@pytest.mark.long
def test_file_where_the_home_should_be(folder: Path) -> None:
    (folder / "file").write_text("")
    for home in (folder / "file", folder / "file" / "home"):
        with pytest.raises(EmbeddedError, match=r"file is a file where a folder is needed\. Move it, or"):
            start(home)


@pytest.mark.long
def test_read_only_place_gets_a_sentence() -> None:
    with pytest.raises(EmbeddedError, match=r"/proc/.*set DIPTYCH_HOME to"):
        start("/proc/diptych-home")


@pytest.mark.long
def test_missing_password_gets_a_sentence_and_the_data_stay(home_to_harm: Path) -> None:
    with start(home_to_harm):
        pass
    kept = (home_to_harm / "secrets" / "postgres_password").rename(home_to_harm / "kept")
    sentence = r"password of the database .* is missing: .* Put that file back, or run"
    with pytest.raises(EmbeddedError, match=sentence):
        start(home_to_harm)
    kept.rename(home_to_harm / "secrets" / "postgres_password")
    with start(home_to_harm) as servers:
        assert rows(servers.database_url, "SELECT 1") == [(1,)]


@pytest.mark.long
def test_damaged_data_get_a_sentence_with_the_servers_words(home_to_harm: Path) -> None:
    with start(home_to_harm):
        pass
    shutil.rmtree(Path(addresses(home_to_harm)["postgres_data"]) / "global")
    with pytest.raises(EmbeddedError, match=r"^PostgreSQL ended \(status 2\): .*global.*Its log is .*postgres\.log\.$"):
        start(home_to_harm)
    assert not Home(home_to_harm).is_held()


@pytest.mark.long
def test_data_of_another_version_get_a_sentence(home_to_harm: Path) -> None:
    with start(home_to_harm):
        pass
    (Path(addresses(home_to_harm)["postgres_data"]) / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="another version of PostgreSQL"):
        start(home_to_harm)


@pytest.mark.long
def test_addresses_stay_between_starts_unless_a_port_is_taken(home: Path) -> None:
    with start(home) as first:
        pass
    with start(home) as second:
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
    with socket.create_server(("127.0.0.1", addresses(home)["postgres_port"])), start(home) as third:
        assert third.database_url != first.database_url
        assert third.redis_url == first.redis_url
        assert rows(third.database_url, "SELECT 1") == [(1,)]


@pytest.mark.long
def test_port_taken_between_look_and_start_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(home) as first:
        pass
    with socket.create_server(("127.0.0.1", addresses(home)["postgres_port"])):
        monkeypatch.setattr("diptych.embedded.servers.is_free", lambda port: True)
        with start(home) as second:
            assert second.database_url != first.database_url
            assert rows(second.database_url, "SELECT 1") == [(1,)]


@pytest.mark.long
def test_free_port_is_told_from_a_taken_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)


@pytest.mark.long
def test_running_is_empty_when_nothing_runs(home: Path) -> None:
    assert Home(home).running() == {}
    with start(home) as servers:
        assert Home(home).running()["database_url"] == servers.database_url
    assert Home(home).running() == {}
    assert Home(home).recorded()["database_url"] == servers.database_url


@pytest.mark.long
def test_home_in_use_is_not_removed(home_to_harm: Path) -> None:
    with start(home_to_harm) as servers:
        with pytest.raises(EmbeddedError, match="is in use"):
            servers.home.remove()
        assert servers.alive()
    servers.home.remove()
    assert not home_to_harm.exists()


@pytest.mark.long
def test_failed_start_leaves_nothing_running(home: Path) -> None:
    with start(home):
        pass
    children = psutil.Process().children(recursive=True)
    with pytest.raises(EmbeddedError):
        start(home, postgres_settings={"shared_buffers": "nonsense"})
    assert psutil.Process().children(recursive=True) == children


@pytest.mark.long
def test_folder_that_held_other_files_is_not_removed(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "letter").write_text("dear")
    with start(folder / "mine"):
        pass
    with pytest.raises(EmbeddedError, match="held other files before, so it is not deleted"):
        Home(folder / "mine").remove()
    assert (folder / "mine" / "letter").read_text() == "dear"
