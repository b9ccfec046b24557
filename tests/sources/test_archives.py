"""Archives that are not trusted: allowed content is unpacked, and everything else is refused with a sentence."""

import gzip
import io
import os
import stat
import struct
import subprocess
import tarfile
import zipfile
from contextlib import suppress

import pytest

from diptych.refusals import Refused
from sources import archives, layout, tars
from sources.layout import parts_of
from sources.progress import Progress
from tests.importing.manifests import prompts_with_videos, write

MOMENT = 1_700_000_000


class Counting(Progress):
    def __init__(self):
        self.total = self.steps = 0

    def begin(self, stage, total):
        self.total = total

    def advance(self, steps=1):
        self.steps += steps


def unpacked(archive, tmp_path, progress=None):
    """Unpack an archive. Return the bytes of each file by name."""
    target = tmp_path / "unpacked"
    archives.unpack(archive, target, progress or Progress())
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def member(name, **values):
    info = tarfile.TarInfo(name)
    info.mtime = MOMENT
    for key, value in values.items():
        setattr(info, key, value)
    return info


def tar(path, *members, mode="w"):
    """Write a tar of (name or TarInfo, bytes)."""
    with tarfile.open(path, mode) as file:
        for info, content in members:
            info = member(info) if isinstance(info, str) else info
            if info.isreg() and not info.size:
                info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def zipped(path, *members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for info, content in members:
            file.writestr(info, content)
    return path


def named(name, **values):
    info = zipfile.ZipInfo(name)
    for key, value in values.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.TGZ", "w:gz")])
def test_a_tar_is_unpacked_as_it_is(tmp_path, name, mode):
    content = os.urandom(3 << 20)
    archive = tar(
        tmp_path / name,
        (member("colours", type=tarfile.DIRTYPE), b""),
        ("./colours/manifest.jsonl", b"{}\n"),
        ("colours/clips/ein Ball 🎈.mp4", content),
        ("colours/empty.txt", b""),
        mode=mode,
    )
    progress = Counting()
    assert unpacked(archive, tmp_path, progress) == {
        "colours/manifest.jsonl": b"{}\n",
        "colours/clips/ein Ball 🎈.mp4": content,
        "colours/empty.txt": b"",
    }
    kept = tmp_path / "unpacked/colours/clips/ein Ball 🎈.mp4"
    assert kept.stat().st_mtime == MOMENT  # begun again, it is the file that was read before
    assert stat.S_IMODE(kept.stat().st_mode) & 0o111 == 0
    assert progress.total == archive.stat().st_size
    assert 0 < progress.steps <= progress.total


def test_a_zip_is_unpacked_as_it_is_without_what_macos_adds(tmp_path):
    archive = zipped(
        tmp_path / "a.zip",
        ("colours/", b""),
        ("colours/manifest.jsonl", b"{}\n" * 1000),
        (named("colours/a.mp4", date_time=(2026, 1, 2, 3, 4, 6)), b"video"),
        ("__MACOSX/colours/._a.mp4", b"finder"),
    )
    progress = Counting()
    assert unpacked(archive, tmp_path, progress) == {
        "colours/manifest.jsonl": b"{}\n" * 1000,
        "colours/a.mp4": b"video",
    }
    again = tmp_path / "again"
    archives.unpack(archive, again, Progress())
    times = [(folder / "colours/a.mp4").stat().st_mtime_ns for folder in (tmp_path / "unpacked", again)]
    assert times[0] == times[1]
    assert 0 < progress.steps <= progress.total


def test_the_folder_that_an_archive_brings_along_is_gone_into(tmp_path):
    write(tmp_path / "in/colours/inner", prompts_with_videos(1, 2))
    assert layout.innermost(tmp_path / "in") == tmp_path / "in/colours/inner"
    prompt = tmp_path / "one/ball"
    prompt.mkdir(parents=True)
    (prompt / "prompt.txt").write_text("A ball")
    assert layout.innermost(tmp_path / "one") == tmp_path / "one"  # the folder is the prompt


NAMES = {
    "/etc/passwd": "absolute path",
    "C:/evil.mp4": "absolute path",
    "../evil.mp4": "leads to a parent folder",
    "clips/../../evil.mp4": "leads to a parent folder",
    "clips\\evil.mp4": "backslash",
    "clips/evil\n.mp4": "control character",
    "clips/evil\x00.mp4": "control character",
    "clips/evil\udcff.mp4": "not UTF-8",
    "a" * 256: "longer than",
    "/".join(["a"] * 33): "folders deep",
    "/".join(["a" * 100] * 11): "longer than",
    "": "is empty",
    "./": "is empty",
}


@pytest.mark.parametrize(("name", "said"), NAMES.items())
def test_names_that_are_refused(name, said):
    with pytest.raises(Refused, match=said):
        parts_of(name)


@pytest.mark.parametrize("name", ["/tmp/evil.mp4", "../evil.mp4", "clips/../../evil.mp4"])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_no_name_leads_out_of_the_folder(tmp_path, name, kind):
    inside = tmp_path / "in/side"
    archive = tmp_path / f"a.{kind}"
    (tar if kind == "tar" else zipped)(archive, (name, b"evil"))
    with pytest.raises(Refused, match=r"The name “.*evil.mp4”"):
        archives.unpack(archive, inside, Progress())
    assert list(tmp_path.rglob("*evil*")) == []


@pytest.mark.parametrize(
    "info",
    [
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("pipe", type=tarfile.FIFOTYPE),
        member("disk", type=tarfile.BLKTYPE, devmajor=8),
        member("tty", type=tarfile.CHRTYPE),
    ],
    ids=lambda info: info.name + info.type.decode(),
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, info):
    archive = tar(tmp_path / "a.tar", ("a.mp4", b"video"), (info, b""))
    with pytest.raises(Refused, match="Pack plain files only"):
        unpacked(archive, tmp_path)
    assert not any(path.is_symlink() or not path.is_file() for path in (tmp_path / "unpacked").iterdir())


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, kind):
    archive = zipped(tmp_path / "a.zip", (named("link", external_attr=(kind | 0o777) << 16), b"/etc/passwd"))
    with pytest.raises(Refused, match="Pack plain files only"):
        unpacked(archive, tmp_path)


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_a_sparse_file_of_a_tar_is_unpacked_with_its_holes(tmp_path, form):
    content = b"begin" + bytes(3 << 20) + b"end" + bytes(1 << 20)
    with (tmp_path / "holes.mp4").open("wb") as file:
        file.write(b"begin")
        file.seek(3 << 20, os.SEEK_CUR)
        file.write(b"end")
        file.truncate(len(content))
    archive = tmp_path / "a.tar"
    names = ["holes.mp4", "after.mp4"]
    (tmp_path / "after.mp4").write_bytes(b"after")
    subprocess.run(["tar", "--sparse", f"--format={form}", "-cf", archive, *names], cwd=tmp_path, check=True)
    assert archive.stat().st_size < 1 << 20
    assert unpacked(archive, tmp_path) == {"holes.mp4": content, "after.mp4": b"after"}


@pytest.mark.usefixtures("_small_limits")
def test_a_file_that_is_all_hole_is_a_bomb(tmp_path):
    with (tmp_path / "hole.mp4").open("wb") as file:
        file.truncate(64 << 20)
    archive = tmp_path / "a.tar"
    subprocess.run(["tar", "--sparse", "-cf", archive, "hole.mp4"], cwd=tmp_path, check=True)
    with pytest.raises(Refused, match="like a decompression bomb"):
        unpacked(archive, tmp_path)


def test_a_hard_link_is_the_file_that_came_before(tmp_path):
    link = member("p/b.mp4", type=tarfile.LNKTYPE, linkname="./p/a.mp4")
    archive = tar(tmp_path / "a.tar", ("p/a.mp4", b"video"), (link, b""), ("c.mp4", b"c"))
    assert unpacked(archive, tmp_path) == {"p/a.mp4": b"video", "p/b.mp4": b"video", "c.mp4": b"c"}


@pytest.mark.parametrize("to", ["b.mp4", "../outside.mp4", "/etc/hostname", "link"])
def test_a_hard_link_to_what_did_not_come_before_is_refused(tmp_path, to):
    (tmp_path / "outside.mp4").write_bytes(b"secret")
    archive = tar(tmp_path / "a.tar", (member("link", type=tarfile.LNKTYPE, linkname=to), b""), ("b.mp4", b"b"))
    with pytest.raises(Refused, match=r"does not come before it|leads to a parent folder|absolute path"):
        unpacked(archive, tmp_path)
    assert list((tmp_path / "unpacked").iterdir()) == []


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
@pytest.mark.parametrize("joined_packed", [True, False])
def test_two_archives_one_after_the_other_are_both_unpacked(tmp_path, name, joined_packed):
    mode = "w:gz" if name.endswith("gz") and joined_packed else "w"
    first = tar(tmp_path / "1", ("a.mp4", b"a"), ("long" * 60, b"l"), mode=mode).read_bytes()
    second = tar(tmp_path / "2", ("b.mp4", b"b" * 600), mode=mode).read_bytes()
    written = first + second
    (tmp_path / name).write_bytes(written if mode == "w:gz" or not name.endswith("gz") else gzip.compress(written))
    assert unpacked(tmp_path / name, tmp_path) == {"a.mp4": b"a", "long" * 60: b"l", "b.mp4": b"b" * 600}


def test_what_follows_an_archive_and_is_none_is_refused(tmp_path):
    archive = tar(tmp_path / "a.tar", ("a.mp4", b"a"))
    archive.write_bytes(archive.read_bytes() + b"rest" * 500)
    with pytest.raises(Refused, match="after the end of the archive"):
        unpacked(archive, tmp_path)


def test_two_zips_one_after_the_other_are_refused(tmp_path):
    first, second = (zipped(tmp_path / f"{name}.zip", (f"{name}.mp4", b"v")).read_bytes() for name in "ab")
    (tmp_path / "both.zip").write_bytes(first + second)
    with pytest.raises(Refused, match="two zip archives one after the other"):
        unpacked(tmp_path / "both.zip", tmp_path)


def test_a_zip_behind_a_program_that_unpacks_it_is_unpacked(tmp_path):
    archive = zipped(tmp_path / "a.zip", ("a.mp4", b"video"))
    archive.write_bytes(b"MZ" + bytes(1000) + archive.read_bytes())
    assert unpacked(archive, tmp_path) == {"a.mp4": b"video"}


def test_content_decides_what_an_archive_is(tmp_path):
    """A browser may unpack a downloaded .tar.gz and keep its name."""
    assert unpacked(tar(tmp_path / "a.tar.gz", ("a.mp4", b"video")), tmp_path) == {"a.mp4": b"video"}
    (tmp_path / "b.zip").write_bytes(b"Rar!\x1a\x07" + bytes(100))
    with pytest.raises(Refused, match=r"b\.zip is a RAR archive, not a zip or tar archive\. Unpack it"):
        unpacked(tmp_path / "b.zip", tmp_path)


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize("names", [("a.mp4", "./a.mp4"), ("a", "a/b.mp4"), ("a/b.mp4", "a")])
def test_two_files_of_one_name_are_refused(tmp_path, kind, names):
    archive = (tar if kind == "tar" else zipped)(tmp_path / f"a.{kind}", *((name, b"video") for name in names))
    with pytest.raises(Refused, match="occurs twice, or is both a file and a folder"):
        unpacked(archive, tmp_path)


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = zipped(tmp_path / "a.zip", ("a.mp4", b"video"))
    written = bytearray(archive.read_bytes())
    written[written.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(written)
    with pytest.raises(Refused, match="is encrypted"):
        unpacked(archive, tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(tmp_path, method):
    archive = zipped(tmp_path / "a.zip", ("a.mp4", b"video" * 1000), method=method)
    with pytest.raises(Refused, match=r"packed with a method that cannot be read here \((BZIP2|LZMA)\)"):
        unpacked(archive, tmp_path)


@pytest.fixture
def _small_limits(monkeypatch):
    monkeypatch.setattr(tars, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(layout, "LOOK_EVERY_BYTES", 1 << 16)


def bomb(path, size):
    """Return zeros, which shrink to a thousandth."""
    if path.suffix == ".zip":
        return zipped(path, *((f"{n}.mp4", bytes(size // 4)) for n in range(4)))
    return tar(path, ("a.mp4", bytes(size)), mode="w:gz")


@pytest.mark.usefixtures("_small_limits")
@pytest.mark.parametrize("name", ["bomb.zip", "bomb.tgz"])
def test_a_bomb_ends_before_it_has_gone_off(tmp_path, name):
    archive = bomb(tmp_path / name, 32 << 20)
    assert archive.stat().st_size < 100_000
    with pytest.raises(Refused, match="more than 100 times its size, like a decompression bomb"):
        unpacked(archive, tmp_path)
    written = sum(path.stat().st_size for path in (tmp_path / "unpacked").rglob("*") if path.is_file())
    assert written < 6 << 20


@pytest.mark.usefixtures("_small_limits")
def test_a_zip_whose_members_are_one_and_the_same_is_a_bomb(tmp_path):
    """Every entry of the directory names the same packed bytes."""
    archive = zipped(tmp_path / "a.zip", ("0000", bytes(1 << 20)))
    written = archive.read_bytes()
    start, end = written.index(b"PK\x01\x02"), written.index(b"PK\x05\x06")
    entry = written[start:end]
    entries = b"".join(entry.replace(b"0000", b"%04d" % number) for number in range(50))
    closing = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 50, 50, len(entries), start, 0)
    archive.write_bytes(written[:start] + entries + closing)
    with pytest.raises(Refused):
        unpacked(archive, tmp_path)
    assert sum(path.stat().st_size for path in (tmp_path / "unpacked").rglob("*") if path.is_file()) < 6 << 20


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.zip"])
def test_more_bytes_than_may_be_are_refused_before_they_are_written(tmp_path, settings, name):
    settings.IMPORT_MOST_BYTES = 1000
    make = zipped if name == "a.zip" else tar
    archive = make(
        tmp_path / name, ("a", os.urandom(600)), ("b", os.urandom(600)), **({"mode": "w:gz"} if name == "a.tgz" else {})
    )
    with pytest.raises(Refused, match="larger than 1000 bytes"):
        unpacked(archive, tmp_path)
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["a"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_more_files_than_may_be_are_refused(tmp_path, settings, kind):
    settings.IMPORT_MOST_FILES = 5
    archive = (tar if kind == "tar" else zipped)(tmp_path / f"a.{kind}", *((str(number), b"") for number in range(6)))
    with pytest.raises(Refused, match="more than 5 files"):
        unpacked(archive, tmp_path)


def test_a_disk_that_would_be_full_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "SPARED_BYTES", 1 << 62)
    with pytest.raises(Refused, match="not enough free space"):
        unpacked(tar(tmp_path / "a.tar", ("a", b"video")), tmp_path)


@pytest.mark.long
def test_a_header_that_asks_for_the_memory_of_the_machine_is_refused(tmp_path):
    """A tar's header states its own length, which can be anything."""
    info = member("long", type=tarfile.XHDTYPE, size=1 << 40)
    archive = tmp_path / "a.tar.gz"
    with gzip.open(archive, "wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            file.write(bytes(1 << 20))
    with pytest.raises(Refused, match="A header in the archive is too long"):
        unpacked(archive, tmp_path)


def test_a_directory_that_asks_for_the_memory_of_the_machine_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_DIRECTORY_BYTES", 100)
    archive = zipped(tmp_path / "a.zip", *((f"{number}.mp4", b"") for number in range(10)))
    with pytest.raises(Refused, match=r"Import (it|them) in parts"):
        unpacked(archive, tmp_path)


def whole(path):
    if path.suffix == ".zip":
        return zipped(path, ("a.mp4", os.urandom(50_000)), ("b.mp4", os.urandom(50_000)))
    mode = "w" if path.suffix == ".tar" else "w:gz"
    return tar(path, ("a.mp4", os.urandom(50_000)), ("b.mp4", os.urandom(50_000)), mode=mode)


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.zip"])
@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.51, 0.9])
def test_half_an_archive_is_said_to_be_half(tmp_path, name, share):
    archive = whole(tmp_path / name)
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
    with pytest.raises(Refused, match=r"again\.$"):
        unpacked(archive, tmp_path)


def test_a_tar_that_was_cut_between_two_files_is_said_to_be_half(tmp_path):
    archive = tar(tmp_path / "a.tar", ("a.mp4", bytes(512)), ("b.mp4", bytes(512)))
    archive.write_bytes(archive.read_bytes()[:1024])
    with pytest.raises(Refused, match="its end is missing"):
        unpacked(archive, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.zip"])
def test_a_broken_archive_never_ends_in_a_traceback(tmp_path, name):
    """Many bytes of the archive are changed, one at a time."""
    archive = whole(tmp_path / name)
    written = archive.read_bytes()
    places = [
        *range(0, 700, 13),
        *range(700, len(written), len(written) // 60),
        *range(len(written) - 150, len(written)),
    ]
    for place in places:
        broken = bytearray(written)
        broken[place] ^= 0xFF
        archive.write_bytes(broken)
        with suppress(Refused):
            archives.unpack(archive, tmp_path / f"unpacked-{place}", Progress())


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_what_only_claims_to_be_an_archive(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"This is no archive at all." * 100)
    with pytest.raises(Refused, match="damaged"):
        unpacked(path, tmp_path)
