"""Every command of the documentation exists, has the options that it is given, and names files that exist.

Commands in blocks are checked completely. In sentences a command may be shortened to its name and one option. What can
run in a temporary installation does run, in tests/test_backup.py and tests/test_production.py.
"""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import click
import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError, CommandParser

from diptych.embedded import binaries
from diptych_client import commands
from studies.management import people_csv
from tests.composed import configuration
from tests.documents import PAGES, blocks, code, inline_code
from tests.production import BIN, ROOT

#: System programs that the documentation may use.
SYSTEM = {"chmod", "cp", "curl", "git", "mkdir", "nginx", "tar", "set", "python3", "kill", "apt-get"}
POSTGRESQL = {path.name for path in binaries.postgres_bin().iterdir()}
#: Files that a command makes, or that the operator provides.
BROUGHT = {
    "people.csv",
    "guideline.en.md",
    "guideline.zh-hans.md",
    "diptych.env",
    ".env",
    "consent.md",
    "consent.zh.md",
}


class Wrong(Exception):
    """A command of the documentation is wrong."""


def check(line: str, whole: bool) -> None:
    """Raise Wrong if the command could not run. `whole` commands have all their arguments."""
    for part in re.split(r"\s*(?:&&|;|\|)\s*(?![^']*'(?:[^']*'[^']*')*[^']*$)", line):
        words = [word for word in shlex.split(re.sub(r"\s[<>]+\s*\S+", "", part)) if word not in {"…", "..."}]
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words.pop(0)
        if words:
            check_words(words, whole)


def check_words(words: list[str], whole: bool) -> None:
    program, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
    if words[0] in {"python", "pip", "celery", "granian"}:
        raise Wrong(f"{program} must be called as .venv/bin/{program}")
    if program == "sh" and arguments[:1] == ["-c"]:
        return check(arguments[1], whole)
    if program in POSTGRESQL:
        return check_options(str(binaries.postgres_bin() / program), arguments)
    if program == ".":
        return check_path(arguments[0].removeprefix("./"))
    if program in CHECKS:
        return CHECKS[program](arguments, whole)
    if program not in SYSTEM:
        raise Wrong(f"nobody knows the program {words[0]}")
    if program == "cp" and whole:
        check_path(arguments[0])
    return None


def check_path(path: str) -> None:
    if not (path in BROUGHT or path.startswith(("backup/", "/", "$", '"$')) or (ROOT / path).exists()):
        raise Wrong(f"there is no file {path}")


# --- make ---------------------------------------------------------------------------------------------


def check_make(arguments: list[str], whole: bool) -> None:
    targets = re.findall(r"^([a-z][\w%-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in arguments:
        pattern = any("%" in one and re.fullmatch(one.replace("%", ".+"), target) for one in targets)
        if "=" not in target and not pattern and target not in targets:
            raise Wrong(f"the Makefile has no target {target}")


# --- diptych-server -----------------------------------------------------------------------------------


def parser_of(name: str) -> CommandParser:
    if name not in get_commands():
        raise Wrong(f"diptych-server has no command {name}")
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    parser = command.create_parser("diptych-server", name)
    parser.called_from_command_line = False  # it then raises an error instead of ending the program
    return parser


def check_server(arguments: list[str], whole: bool) -> None:
    if arguments in ([], ["help"], ["help", "NAME"]):
        return
    parser = parser_of(arguments[0])
    if whole:
        try:
            parser.parse_args(arguments[1:])
        except CommandError as error:
            raise Wrong(f"diptych-server {arguments[0]}: {error}") from None
    else:
        known = {option for action in parser._actions for option in action.option_strings}
        for word in arguments[1:]:
            if word.startswith("--") and word not in known:
                raise Wrong(f"diptych-server {arguments[0]} has no option {word}")


# --- diptych ------------------------------------------------------------------------------------------


def check_client(arguments: list[str], whole: bool) -> None:
    command: click.Command = commands.diptych
    left = list(arguments)
    while isinstance(command, click.Group) and left:
        if left[0] not in command.commands:
            raise Wrong(f"diptych has no command {left[0]}")
        command = command.commands[left.pop(0)]
    if whole:
        try:
            command.make_context(command.name, left)
        except click.ClickException as error:
            raise Wrong(f"diptych: {error.format_message()}") from None
    known = {option for parameter in command.params for option in parameter.opts}
    if strange := [word for word in left if word.startswith("--") and word not in known]:
        raise Wrong(f"diptych has no option {strange[0]}")


# --- Python, Celery, Granian --------------------------------------------------------------------------


def check_python(arguments: list[str], whole: bool) -> None:
    if arguments[0] == "-c":
        compile(arguments[1], "documentation", "exec")
    elif arguments[0] == "-m" and arguments[1] == "pytest":
        for before, word in pairwise(arguments[1:]):
            if before == "-p" and find_spec(word) is None:
                raise Wrong(f"there is no plugin {word}")
            if "-p" not in (before, word):
                check_path(word)
    elif arguments[0] == "-m":
        module = arguments[1]
        if module.endswith("*") or module == "venv":
            return
        if find_spec(module) is None:
            raise Wrong(f"there is no module {module}")
        rest = arguments[2:]
        if "--" in rest:
            check_words(rest[rest.index("--") + 1 :], whole)
            rest = rest[: rest.index("--")]
        said = help_of(str(BIN / "python"), "-m", module) if any(word.startswith("--") for word in rest) else ""
        for word in rest:
            if word.startswith("--") and word not in said:
                raise Wrong(f"python -m {module} has no option {word}")
            if word.startswith("tests/"):
                check_path(word)
    else:
        raise Wrong("python is only called with -m or -c")


def check_pip(arguments: list[str], whole: bool) -> None:
    for target, _, extra in (word.partition("[") for before, word in pairwise(arguments) if before == "-e"):
        extras = re.findall(
            r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text().split("optional-dependencies]")[1], re.M
        )
        if target not in (".", "client") or (extra and extra.rstrip("]") not in extras):
            raise Wrong(f"there is no extra {extra}")
    check_path(arguments[arguments.index("-c") + 1])


def check_celery(arguments: list[str], whole: bool) -> None:
    position = next(index for index, word in enumerate(arguments) if word in {"worker", "beat"})
    check_options(str(BIN / "celery"), arguments[position + 1 :], "-A", "diptych", arguments[position])


def check_granian(arguments: list[str], whole: bool) -> None:
    check_options(str(BIN / "granian"), arguments)
    module, _, name = arguments[-1].partition(":")
    if not (find_spec(module) and name == "application"):
        raise Wrong(f"there is no application {arguments[-1]}")


def check_options(program: str, arguments: list[str], *before: str) -> None:
    """Raise Wrong if the program's own help does not know a long option."""
    options = [word.partition("=")[0] for word in arguments if word.startswith("--")]
    said = help_of(program, *before) if options else ""
    for option in options:
        if not re.search(rf"{re.escape(option)}\b", said):
            raise Wrong(f"{Path(program).name} {' '.join(before)} has no option {option}")


@cache
def help_of(*command: str) -> str:
    ran = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


# --- Docker Compose -----------------------------------------------------------------------------------


def check_docker(arguments: list[str], whole: bool) -> None:
    if arguments[:1] != ["compose"]:
        raise Wrong("only `docker compose` is used")
    name, rest = arguments[1], arguments[2:]
    options = [word for word in rest if word.startswith("-")]
    services = set(configuration()["services"])
    if name in {"exec", "run"}:
        position = next(index for index, word in enumerate(rest) if not word.startswith("-"))
        if rest[position] not in services:
            raise Wrong(f"docker-compose.yml has no service {rest[position]}")
        options = rest[:position]
        if rest[position + 1 :]:
            check_words(rest[position + 1 :], whole)
    elif name == "cp":
        if rest[1].partition(":")[0] not in services:
            raise Wrong(f"docker-compose.yml has no service {rest[1]}")
    elif strange := {word for word in rest if not word.startswith("-")} - services:
        raise Wrong(f"docker-compose.yml has no service {', '.join(strange)}")
    said = help_of(str(BIN / "docker-compose"), name)
    for option in options:
        if not re.search(rf"(^|\s){re.escape(option)}\b", said):
            raise Wrong(f"docker compose {name} has no option {option}")


CHECKS: dict[str, Callable[[list[str], bool], None]] = {
    "make": check_make,
    "diptych": check_client,
    "diptych-server": check_server,
    "python": check_python,
    "python3": check_python,
    "pip": check_pip,
    "celery": check_celery,
    "granian": check_granian,
    "docker": check_docker,
}


# --- Checks -------------------------------------------------------------------------------------------


def command_lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Yield each command of a page, and whether it is complete."""
    for block in blocks(page):
        for line in block.commands:
            yield line, True
    starts = (
        "make ",
        "diptych ",
        "diptych-server ",
        ".venv/bin/",
        "docker compose ",
        "PORT=",
        "pg_",
        "python -m",
        "set -a",
    )
    for text in inline_code(page):
        if text.startswith(starts):
            yield text.replace("\n", " "), False


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_could_run_as_they_are_written(page):
    wrong = []
    for line, whole in command_lines(page):
        try:
            check(line, whole)
        except Wrong as error:
            wrong.append(f"{line}: {error}")
    assert wrong == []


def test_there_are_commands_to_check():
    assert sum(whole for page in PAGES for _, whole in command_lines(page)) > 60


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("make install", "no target install"),
        (".venv/bin/diptych-server import_studies PATH --study s", "no command import_studies"),
        ("diptych pull", "Missing argument"),
        ("diptych publish release-1 --to hub --repo lab/study", "is not 'hf'"),
        (".venv/bin/diptych-server add_people --study s --names FILE", "arguments"),
        (".venv/bin/python -m diptych.demos", "no module"),
        ("docker compose exec server diptych-server check_media", "no service server"),
        ("docker compose exec web diptych-server check_medias", "no command check_medias"),
        ("docker compose up --detached", "no option --detached"),
        (".venv/bin/python -m diptych.embedded -- sh -c 'pg_dump --no-such \"$DATABASE_URL\"'", "no option --no-such"),
        (".venv/bin/pip install -c constraints.txt -e client -e '.[server]'", "no extra"),
        ("cp deploy/apache.conf /etc/apache2/", "no file"),
        ("manage.py migrate", "nobody knows"),
        ("python -m diptych.demo", "must be called as"),
    ],
)
def test_a_command_that_could_not_run_is_found(line, said):
    with pytest.raises(Wrong, match=said):
        check(line, True)


def test_manage_py_is_called_by_the_name_that_is_installed():
    for page in PAGES:
        for text in [*inline_code(page), *(line for block in blocks(page) for line in block.commands)]:
            assert not re.match(r"(python |\.venv/bin/python |\./)?manage\.py \w", text), f"{page}: {text}"


def test_the_documented_list_of_people_can_be_read(tmp_path):
    page = ROOT / "docs/researcher.md"
    (tmp_path / "people.csv").write_text(code(page, "csv", "Bring in people"))
    people, bad = people_csv.read_people(tmp_path / "people.csv", "annotator")
    assert bad == []
    assert [(one.username, one.role) for one in people] == [("ada", "annotator"), ("lin", "reviewer")]
    for column in people_csv.COLUMNS:
        assert f"| `{column}` |" in page.read_text()


def test_before_each_update_stands_to_back_up_first():
    install, compose, operators = (
        (ROOT / f"docs/{name}").read_text() for name in ("operators/install.md", "operators/compose.md", "operators.md")
    )
    for page in (install, compose):
        update = page.split("## Update\n")[1]
        assert update.index("**Back up first**") < update.index("git pull")
    assert "- **Update**: back up first" in operators


# --- Links --------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    written = re.sub(r"`[^`\n]*`", "", page.read_text())  # code contains no links
    for target in re.findall(r"\]\(([^)\s]+)\)", written):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page}: {target}"
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), f"{page}: {target}"
