"""The client's wheel, installed alone in an empty environment."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.production import ROOT, environment

pytestmark = pytest.mark.long

#: Prints how many milliseconds of a processor each import takes, beside the interpreter alone.
TIMED = """
import resource, subprocess, sys
def least(program):
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(took)
bare = least("")
for name in ("diptych_client", "diptych_client.client", "diptych_client.commands"):
    print(name, round(1000 * (least(f"import {name}") - bare)))
"""


def run(*command: object, cwd: Path) -> str:
    ran = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    shutil.copytree(ROOT / "client", folder / "client")  # a build leaves files in its folder
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, folder / "client", cwd=folder)
    [built] = folder.glob("diptych_client-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel):
    """Return the Python of an empty environment in which only the wheel was installed."""
    run(sys.executable, "-m", "venv", "alone", cwd=wheel.parent)
    python = wheel.parent / "alone" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel, cwd=wheel.parent)
    return python


def test_the_wheel_has_the_package_its_types_and_its_licence(wheel):
    listed = run(sys.executable, "-m", "zipfile", "-l", wheel, cwd=wheel.parent)
    names = set(re.findall(r"^(\S+)", listed, re.MULTILINE))
    package = ROOT / "client" / "diptych_client"
    modules = {path.relative_to(package.parent).as_posix() for path in package.rglob("*.py")}
    assert modules | {"diptych_client/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.partition("/")[0].partition("-")[0] for name in names if "/" in name} == {"diptych_client"}


def test_the_command_and_the_package_work_alone(python, tmp_path):
    command = python.parent / "diptych"
    assert "publish" in run(command, "--help", cwd=tmp_path)
    published = ROOT / "tests" / "client" / "cases" / "deviations"
    run(command, "convert", "safesora", published, "external", cwd=tmp_path)
    program = "from diptych_client import Release; print(len(list(Release.open('external').prompts())))"
    assert int(run(python, "-c", program, cwd=tmp_path)) > 0
    installed = run(python, "-m", "pip", "list", "--format=freeze", cwd=tmp_path).lower()
    assert "django" not in installed


def test_without_the_extra_publishing_says_what_to_install(python, tmp_path):
    given = [python.parent / "diptych", "publish", "mine", "--to", "hf", "--repo", "lab/mine"]
    ran = subprocess.run(given, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (
        2,
        "Error: Publishing needs a package that is not installed. Install it: pip install 'diptych-client[publish]'\n",
    )


def test_its_size_and_the_time_of_its_import_are_told(wheel, python, tmp_path):
    """The reader of releases is quick to import, since it loads nothing that sends requests."""
    packages = python.parent.parent / "lib"
    sizes = [path.stat().st_size for path in packages.rglob("*") if path.is_file() and "/pip" not in str(path)]
    times = dict(line.split() for line in run(python, "-c", TIMED, cwd=tmp_path).splitlines())
    print(f"wheel: {wheel.stat().st_size / 1e3:.0f} kB; with the packages that it needs: {sum(sizes) / 1e6:.1f} MB")
    print(f"milliseconds of an import: {times}")
    assert wheel.stat().st_size < 200_000
    assert int(times["diptych_client"]) < int(times["diptych_client.client"])
