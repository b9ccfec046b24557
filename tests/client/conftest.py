"""A study with releases on a real server, and the command `diptych` of somebody who is signed in there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.tokens import issue_token
from releases.filters import Filter
from releases.models import Release
from tests.client.running import Diptych
from tests.releases import material
from tests.releases.releasing import make

ANY_DECISION = Filter(decisions=("accepted", "none"))


@pytest.fixture
def diptych(tmp_path: Path) -> Diptych:
    """Return the command of somebody who has not signed in."""
    return Diptych(tmp_path)


@pytest.fixture
def token(researcher: Any) -> str:
    return issue_token(researcher, scopes=["read", "export", "manage"])


@pytest.fixture
def signed_in(diptych: Diptych, server: str, token: str) -> Diptych:
    """Return the command of a researcher who is signed in at the test server."""
    diptych.sign_in(server, token)
    return diptych


@pytest.fixture
def release(study: Any) -> Release:
    """Return a release with two pairs, and their videos and pictures."""
    return released(study)


def released(study: Any, count: int = 2, *, size: int = 900, formats: tuple[str, ...] = ()) -> Release:
    """Make a release with so many new pairs. Their playback files have `size` bytes each, and nobody can play them."""
    material.answered(study, count, size=size, split="train")
    made = make(study, filter=ANY_DECISION, formats=list(formats or ("jsonl", "videos", "frames")))
    assert (made.state, made.reason) == ("done", "")
    return made


@pytest.fixture
def as_published(study: Any) -> Callable[[], Release]:
    """Return a function that makes a release as the Hub takes it."""
    return lambda: released(study, formats=("jsonl", "parquet", "frames", "huggingface"))
