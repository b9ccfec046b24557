"""Storage on this machine's disk: a file is there whole under its name, or what was there before is."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from diptych.storage import AtomicFileSystemStorage


class Breaking(ContentFile):
    """Content whose source ends in the middle."""

    def chunks(self, chunk_size=None):
        yield b"the first half"
        raise OSError(28, "No space left on device")


@pytest.fixture
def storage(tmp_path):
    return AtomicFileSystemStorage(location=str(tmp_path / "files"))


def below(storage):
    """Every file below the storage's folder, hidden ones included."""
    root = Path(storage.location)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_the_platform_stores_in_is_this_storage():
    assert isinstance(storages["default"], AtomicFileSystemStorage)


def test_a_file_is_kept_under_exactly_its_name(storage):
    assert storage.save("a/b/clip.mp4", ContentFile(b"one")) == "a/b/clip.mp4"
    assert storage.save("a/b/clip.mp4", ContentFile(b"other")) == "a/b/clip.mp4"
    assert storage.save("top", ContentFile(b"third")) == "top"
    assert below(storage) == ["a/b/clip.mp4", "top"]
    assert storage.open("a/b/clip.mp4").read() == b"other"


def test_who_reads_while_a_file_is_replaced_reads_the_old_one_to_its_end(storage):
    old = b"old" * 500_000  # more than a reader takes at once
    storage.save("clip.mp4", ContentFile(old))
    with storage.open("clip.mp4") as reading:
        assert reading.read(3) == b"old"
        storage.save("clip.mp4", ContentFile(b"new"))
        assert reading.read() == old[3:]
    assert storage.open("clip.mp4").read() == b"new"


def test_an_error_leaves_the_old_file_and_nothing_else(storage):
    storage.save("clip.mp4", ContentFile(b"old"))
    for name in ("clip.mp4", "new.mp4", "folder/new.mp4"):
        with pytest.raises(OSError, match="No space left"):
            storage.save(name, Breaking(b"never whole"))
    assert below(storage) == ["clip.mp4"]
    assert storage.open("clip.mp4").read() == b"old"


def test_permissions_are_as_set(tmp_path):
    storage = AtomicFileSystemStorage(
        location=str(tmp_path), file_permissions_mode=0o640, directory_permissions_mode=0o750
    )
    storage.save("a/b/clip.mp4", ContentFile(b"one"))
    assert (tmp_path / "a/b/clip.mp4").stat().st_mode & 0o777 == 0o640
    assert [(tmp_path / folder).stat().st_mode & 0o777 for folder in ("a", "a/b")] == [0o750, 0o750]


def modes(root):
    """The permissions of a folder and of all that lies in it, by kind."""
    return {("folder" if path.is_dir() else "file", path.stat().st_mode & 0o777) for path in [root, *root.rglob("*")]}


def test_nobody_else_reads_what_is_stored(storage):
    before = os.umask(0)
    try:
        storage.save("a/b/clip.mp4", ContentFile(b"one"))
        storage.move("a/b/clip.mp4", "c/d/clip.mp4")
    finally:
        os.umask(before)
    assert modes(Path(storage.location)) == {("folder", 0o700), ("file", 0o600)}
