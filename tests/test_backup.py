"""Backup and restore with the exact commands of docs/operators/backup.md, of an installation with answers and media."""

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from diptych.embedded import binaries
from tests import factories
from tests.composed import application_services
from tests.contents import files, tables
from tests.documents import commands
from tests.installation import Installation, Visitor
from tests.production import BIN, ROOT

PAGE = ROOT / "docs/operators/backup.md"
DEMO, OWN, COMPOSE = "The demo", "Your own servers", "Docker Compose"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, str]]:
    """Make an installation with a study, four clips and two answers, and the API token of one of its annotators."""
    installation = Installation("source", tmp_path_factory.mktemp("source"))
    try:
        installation.run("diptych-server migrate --noinput && diptych-server collectstatic --noinput")
        yield installation, installation.fill()
    finally:
        installation.close()


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Return a function that makes installations with an empty database and an empty folder."""
    made: list[Installation] = []

    def make(name: str, **variables: str) -> Installation:
        made.append(Installation(name, tmp_path / name, **variables))
        return made[-1]

    yield make
    for installation in made:
        installation.close()


@dataclass(frozen=True)
class Contents:
    """The contents of an installation: a checksum of each table's rows, and the bytes of each file."""

    tables: dict[str, tuple[int, str]]
    files: dict[str, str]


def contents(database_url: str, media: Path) -> Contents:
    return Contents(tables(database_url), files(media))


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def media_of(installation: Installation) -> Path:
    return Path(installation.variables["MEDIA_ROOT"])


def is_filled(found: Contents) -> bool:
    rows = {name: count for name, (count, _) in found.tables.items()}
    needed = ("studies_study", "catalog_pair", "annotation_annotation", "accounts_auditevent", "accounts_consent")
    return all(rows[name] for name in needed) and len(found.files) >= 4 * 11


def answer_once_more(port: int, token: str) -> None:
    """Lease the next pair as the same annotator as before, see its video, and answer it."""
    ada = Visitor(port, token)
    lease = ada.api("POST", "studies/colours/assignments/", {})["current"]
    assert ada.api("POST", f"assignments/{lease['id']}/submit/", factories.body())


def workplace(folder: Path) -> Path:
    """Make a folder in which commands of the documentation run as in a clone. It has .venv, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".venv").symlink_to(BIN.parent)
    return folder


# --- Your own servers ---------------------------------------------------------------------------------


@pytest.mark.long
def test_servers_of_ones_own_are_backed_up_and_restored(source, install, tmp_path):
    before, token = source
    clone = workplace(tmp_path / "clone")
    names = ("SECRET_KEY", "DATABASE_URL", "MEDIA_ROOT")
    (clone / "diptych.env").write_text("".join(f"{name}={before.variables[name]}\n" for name in names))
    had = contents(before.database_url, media_of(before))
    assert is_filled(had)
    for command in commands(PAGE, OWN, "Back up"):
        before.run(command, cwd=clone)

    lines = (clone / "backup/diptych.env").read_text().splitlines()
    kept = dict(line.partition("=")[::2] for line in lines)
    after = install("own", SECRET_KEY=kept["SECRET_KEY"])
    for command in commands(PAGE, OWN, "Restore"):
        after.run(command, cwd=clone)
    assert contents(after.database_url, media_of(after)) == had
    assert modes(media_of(after)) == modes(media_of(before))
    answer_once_more(after.start_web(), token)
    assert contents(before.database_url, media_of(before)) == had  # the old installation was not changed


# --- Docker Compose -----------------------------------------------------------------------------------

#: A stand-in for `docker`, since no engine runs here. `docker compose exec` and `run` run the actual command, with the
#: environment of that service. All other commands are only recorded. tests/test_docs_commands.py checks services and
#: options.
DOCKER = """#!/bin/sh -e
printf '%s\\n' "$*" >> docker.log
shift
verb=$1; shift
case $verb in exec|run) ;; *) exit 0 ;; esac
while [ "${1#-}" != "$1" ]; do shift; done
if [ "$1" = postgres ]; then . ./postgres.env; fi
shift
exec "$@"
"""


def in_containers(installation: Installation, command: str) -> str:
    """Return the command with what differs here: the name of the database and the folder of the volume."""
    return (
        command.replace("/var/lib/diptych/media", installation.variables["MEDIA_ROOT"])
        .replace("--format=custom diptych ", f"--format=custom {installation.name} ")
        .replace("--dbname=diptych ", f"--dbname={installation.name} ")
    )


def docker(installation: Installation, folder: Path) -> dict[str, str]:
    """Make the stand-in for `docker`. Return the PATH on which it comes first."""
    server = psycopg.conninfo.conninfo_to_dict(installation.database_url)
    names = {"PGHOST": "host", "PGPORT": "port", "PGPASSWORD": "password"}
    (folder / "postgres.env").write_text("".join(f"export {name}={server[part]}\n" for name, part in names.items()))
    program = folder / "bin/docker"
    program.parent.mkdir(exist_ok=True)
    program.write_text(DOCKER)
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{installation.variables['PATH']}"}


@pytest.mark.long
def test_docker_compose_is_backed_up_and_restored(source, install, tmp_path):
    before, token = source
    clone = workplace(tmp_path / "clone")
    (clone / ".env").write_text(f"SECRET_KEY={before.variables['SECRET_KEY']}\n")
    had = contents(before.database_url, media_of(before))
    for command in commands(PAGE, COMPOSE, "Back up"):
        before.run(in_containers(before, command), cwd=clone, **docker(before, clone))

    (clone / ".env").unlink()
    key = (clone / "backup/settings.env").read_text().strip().partition("=")[2]
    after = install("composed", SECRET_KEY=key)
    media_of(after).mkdir()  # a volume exists from the start
    for command in commands(PAGE, COMPOSE, "Restore"):
        if "check_media" in command:  # `up` started the service migrate before this
            after.run(application_services()["migrate"]["command"][2])
        after.run(in_containers(after, command), cwd=clone, **docker(after, clone))
    assert (clone / ".env").read_text().strip() == f"SECRET_KEY={before.variables['SECRET_KEY']}"
    said = (clone / "docker.log").read_text()
    assert said.index("up --build --detach --wait postgres") < said.index("pg_restore") < said.index("up --detach\n")
    assert contents(after.database_url, media_of(after)) == had
    answer_once_more(after.start_web(), token)


# --- The demo -----------------------------------------------------------------------------------------


@pytest.fixture
def demo() -> Iterator[tuple[Path, Callable[[str], str]]]:
    """Return a clone with a state folder `.diptych`, and a function that runs a command there as a person would."""
    folder = Path(tempfile.mkdtemp(prefix="diptych-demo-"))
    folder.chmod(0o711)  # PostgreSQL may have to run as another user, who must be able to reach its data
    workplace(folder)
    variables = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}

    def run(command: str) -> str:
        ran = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=folder,
            env=variables | {"DIPTYCH_HOME": str(folder / ".diptych")},
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    yield folder, run
    run(".venv/bin/python -m diptych.demo --reset --yes")
    shutil.rmtree(folder)


#: Prints what `tables` finds in DATABASE_URL.
LOOK = f"""
import json, os, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.contents import tables
print(json.dumps(tables(os.environ["DATABASE_URL"])))
"""


@pytest.mark.long
def test_the_demo_is_backed_up_and_restored(source, demo, tmp_path):
    before, _ = source
    clone, run = demo
    home = clone / ".diptych"
    (clone / "look.py").write_text(LOOK)

    def with_servers(command: str) -> str:
        return run(f".venv/bin/python -m diptych.embedded -- {command}")

    def found() -> tuple[dict[str, list[Any]], dict[str, str]]:
        return json.loads(with_servers(".venv/bin/python look.py")), files(home / "media")

    # A demo with the source's rows and files.
    before.run(f'pg_dump --format=custom --file={tmp_path}/dump "$DATABASE_URL"')
    with_servers(f"sh -c 'pg_restore --exit-on-error --no-owner --dbname=\"$DATABASE_URL\" {tmp_path}/dump'")
    shutil.copytree(media_of(before), home / "media")
    (home / "secrets/secret_key").write_text("the key of before\n")
    (home / "demo-people.json").write_text("[]")
    had = found()
    assert had[0]["annotation_annotation"][0] >= 2
    for command in commands(PAGE, DEMO, "Back up"):
        run(command)

    for command in commands(PAGE, DEMO, "Restore"):
        run(command)
        assert "--reset" not in command or not home.exists()
    assert found() == had
    assert (home / "secrets/secret_key").read_text() == "the key of before\n"
    assert (home / "demo-people.json").read_text() == "[]"
    assert with_servers(".venv/bin/diptych-server check_media")


@pytest.mark.long
def test_programs_of_the_embedded_server_are_found_first(demo):
    _, run = demo
    said = run(".venv/bin/python -m diptych.embedded -- sh -c 'pg_dump --version; command -v pg_restore'")
    server = subprocess.run([binaries.postgres_bin() / "postgres", "--version"], capture_output=True, text=True).stdout
    dump, restore = said.splitlines()
    assert dump == server.strip().replace("postgres ", "pg_dump ")
    assert Path(restore).resolve() == (binaries.postgres_bin() / "pg_restore").resolve()
