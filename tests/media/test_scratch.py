"""The folder in which a file is prepared is always removed."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media.scratch import PREFIX, scratch, sweep


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_it_goes_at_the_end_and_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), scratch() as folder:
        (folder / "original").write_bytes(b"bytes")
        assert folder.stat().st_mode & 0o077 == 0
        raise ValueError("no")

    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_what_a_killed_worker_left_goes_when_the_next_file_is_begun(tmp_path: Path) -> None:
    working = "with scratch() as folder: (folder / 'a').touch(); os.kill(os.getpid(), 9)"
    killed = f"import os; from media.scratch import scratch\n{working}"
    subprocess.run([sys.executable, "-c", killed], check=False, timeout=60)
    [left] = tmp_path.glob(f"{PREFIX}*")
    assert (left / "a").exists()

    with scratch() as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_is_in_use_stays() -> None:
    with scratch() as folder:
        (folder / "original").touch()
        sweep()
        assert (folder / "original").exists()


def test_a_folder_left_before_it_was_locked_goes_and_others_files_stay(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}empty").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "lock").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "diptych-other").mkdir()

    sweep()

    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", f"{PREFIX}link", "diptych-other"}
    assert (tmp_path / "elsewhere" / "lock").exists()


@pytest.mark.long
def test_workers_that_begin_at_once_take_nothing_from_each_other() -> None:
    def work(number: int) -> bool:
        for _ in range(30):
            with scratch() as folder:
                (folder / "original").write_text(str(number))
                if (folder / "original").read_text() != str(number) or not os.path.exists(folder / "lock"):
                    return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))
