"""Fixtures for the tests of this app."""

import pytest


@pytest.fixture
def root(tmp_path, settings):
    """Return the one folder that imports can read."""
    folder = tmp_path / "imports"
    folder.mkdir()
    settings.IMPORT_ROOTS = [folder]
    return folder
