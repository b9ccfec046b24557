"""Every command of ours starts in a process of its own, where nothing was imported before."""

import subprocess
import sys

import pytest

from diptych.embedded.state import REPOSITORY
from tests.embedded.observing import clean_environment

COMMANDS = sorted(path.stem for path in REPOSITORY.glob("*/management/commands/*.py") if not path.stem.startswith("_"))


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_it_does(command):
    ended = subprocess.run(
        [sys.executable, "manage.py", command, "--help"],
        cwd=REPOSITORY,
        env=clean_environment(DIPTYCH_MODE="test"),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) > 3
