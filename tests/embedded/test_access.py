"""Only this machine can reach the servers, and only with the password."""

import os
import stat
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from diptych.embedded import Home, Servers, start
from tests.embedded.observing import addresses, broker, postmaster, rows, valkey_process


def listening(pid: int) -> set[str]:
    connections = psutil.Process(pid).net_connections(kind="all")
    return {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}


@pytest.mark.long
def test_servers_listen_on_the_loopback_address_only(shared: Servers) -> None:
    assert listening(postmaster(shared.home.path)) == {"127.0.0.1"}
    assert listening(valkey_process(shared.home.path)) == {"127.0.0.1"}


@pytest.mark.long
def test_postgres_has_no_unix_socket(shared: Servers) -> None:
    assert rows(shared.database_url, "SHOW unix_socket_directories") == [("",)]


@pytest.mark.long
def test_postgres_refuses_a_wrong_or_missing_password(shared: Servers) -> None:
    for password in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(shared.database_url, password=password)


@pytest.mark.long
def test_every_way_into_postgres_wants_scram(shared: Servers) -> None:
    rules = rows(shared.database_url, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert rules == [("scram-sha-256",)]
    stored = rows(shared.database_url, "SELECT rolpassword FROM pg_authid WHERE rolname = 'diptych'")
    assert stored[0][0].startswith("SCRAM-SHA-256$")


@pytest.mark.long
def test_valkey_refuses_a_wrong_or_missing_password(shared: Servers) -> None:
    port = addresses(shared.home.path)["valkey_port"]
    for password in ("wrong", None):
        with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
            redis.Redis(port=port, password=password).ping()


@pytest.mark.long
def test_passwords_lie_in_files_that_nobody_else_reads(shared: Servers) -> None:
    home = shared.home.path
    files = [home / "servers.json", *(home / "secrets").iterdir()]
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.long
def test_passwords_are_on_no_command_line(shared: Servers) -> None:
    secrets = [file.read_text().strip() for file in (shared.home.path / "secrets").iterdir()]
    lines = [" ".join(one.cmdline()) for one in psutil.Process().children(recursive=True)]
    assert any("postgres" in line for line in lines)
    assert not [line for line in lines for secret in secrets if secret in line]


@pytest.mark.long
def test_database_is_unicode_and_durable(shared: Servers) -> None:
    statement = """
        SELECT pg_encoding_to_char(encoding), datlocprovider, datlocale,
               current_setting('fsync'), current_setting('synchronous_commit'),
               current_setting('data_checksums')
        FROM pg_database WHERE datname = 'diptych'
    """
    assert rows(shared.database_url, statement) == [("UTF8", "b", "C.UTF-8", "on", "on", "on")]


@pytest.mark.long
def test_role_can_make_databases_for_tests(shared: Servers) -> None:
    rows(shared.database_url, "CREATE DATABASE test_diptych")
    rows(shared.database_url, "DROP DATABASE test_diptych")


@pytest.mark.long
def test_valkey_appends_to_a_file(shared: Servers) -> None:
    settings = broker(shared.redis_url).config_get("append*")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"


@pytest.mark.long
def test_parents_keep_their_permissions(tmp_path: Path) -> None:
    above = [tmp_path / "wide", tmp_path / "wide" / "narrow"]
    for folder, mode in zip(above, (0o755, 0o711), strict=True):
        folder.mkdir()
        folder.chmod(mode)
    with start(above[-1] / "home") as servers:
        pass
    servers.home.remove()  # the data may lie elsewhere, since no other user reaches this test's folder
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in above] == [0o755, 0o711]


@pytest.mark.long
def test_what_earlier_versions_left_open_in_a_state_folder_is_closed_at_the_start(folder: Path) -> None:
    home = Home.at(folder / "home")
    home.make()
    for path in ("media/originals/ab/clip", "media/assets/x/playback.mp4", "static/a.css", "demo-clips/clips/b.mp4"):
        file = home.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"bytes")
        file.chmod(0o644)
    outside = folder / "outside"
    outside.mkdir(mode=0o755)
    (home.path / "media/link").symlink_to(outside)
    for path in [home.path, *home.path.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    with start(home):
        ours = [path for path in home.path.rglob("*") if path.stat().st_uid == os.geteuid() and not path.is_symlink()]
        open_to_others = [str(path) for path in ours if path.stat().st_mode & 0o077]
        assert open_to_others == []
        assert stat.S_IMODE(outside.stat().st_mode) == 0o755
