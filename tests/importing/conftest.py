"""Fixtures of several test files of this app."""

import pytest

from tests.importing.import_jobs import own_bytes
from tests.importing.manifests import prompts_with_videos, write


@pytest.fixture
def root(tmp_path, settings):
    """The one folder that imports may read."""
    folder = tmp_path / "imports"
    folder.mkdir()
    settings.IMPORT_ROOTS = [folder]
    return folder


@pytest.fixture
def material(root):
    """A manifest of two prompts with three videos each, whose bytes no other test has."""
    return own_bytes(write(root / "colours", prompts_with_videos(2, 3)), root.parent.name)
