"""Material as people have it, through the whole importer: what comes in, what is left out, and what is said.

Each case is made here in the form that was seen in reports about archives, data set loaders and annotation tools.
"""

import gzip
import json
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from importing import jobs, tasks
from importing.job_pages import bad_rows, warnings
from importing.models import Import
from tests.importing.manifests import pair, prompt, prompts_with_videos, video, write, write_file
from tests.sources.test_safesora import config, preference, video_of

pytestmark = pytest.mark.django_db

LINES = [prompt("p"), video("p-a"), video("p-b"), pair("p-a", "p-b")]


class Case(NamedTuple):
    """What is made below the root, and what should come of it."""

    make: Callable[[Path], Any]
    #: Counts of new prompts, videos and pairs; None if nothing is imported.
    added: tuple[int, int, int] | None = (1, 2, 1)
    #: Words of the warnings, the reason of a failure, or the bad rows as "file line field reason".
    said: tuple[str, ...] = ()
    not_said: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    bad: int = 0


def manifest(*lines: Any) -> bytes:
    return b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)


def zipped(
    path: Path,
    members: dict[bytes, bytes],
    *,
    flags: int = 0,
    system: int = 0,
    fields: dict[bytes, bytes] | None = None,
) -> Path:
    """Write a zip whose names are exactly these bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number, (name, content) in enumerate(members.items()):
            info = zipfile.ZipInfo(f"{number}".rjust(len(name), "#"))
            info.create_system = system
            info.extra = (fields or {}).get(name, b"")
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    written = path.read_bytes()
    for number, name in enumerate(members):
        written = written.replace(f"{number}".rjust(len(name), "#").encode(), name)
    if flags:
        for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            at = -1
            while (at := written.find(mark, at + 1)) >= 0:
                written = written[: at + offset] + struct.pack("<H", flags) + written[at + offset + 2 :]
    path.write_bytes(written)
    return path


def of_names(
    path: Path, one: str, other: str, codec: str, *, slash: str = "/", flags: int = 0, stated: bool = True
) -> Path:
    """Write a zip of a manifest and two clips with names in an encoding, or of a folder without a manifest."""
    names = [f"clips/{one}.mp4", f"clips/{other}.mp4"]
    lines = [prompt("p"), video("p-a", path=names[0]), video("p-b", path=names[1])]
    members = {name.replace("/", slash).encode(codec): name.encode() for name in names}
    if stated:
        return zipped(path, {b"manifest.jsonl": manifest(*lines)} | members, flags=flags)
    folder = f"{one}{slash}".encode(codec)
    clips = {folder + f"{name}.mp4".encode(codec): name.encode() for name in ("a", other)}
    return zipped(path, {folder + b"prompt.txt": b"A red ball"} | clips, flags=flags)


def with_unicode_field(path: Path, *, damaged: bool = False) -> Path:
    """Write names into the field 0x7075, as Info-ZIP and 7-Zip do. A wrong checksum stands for an older name."""
    members, fields = (
        {b"manifest.jsonl": manifest(prompt("p"), *(video(f"p-{n}", path=f"球{n}.mp4") for n in "12"))},
        {},
    )
    for number in "12":
        raw, name = f"?{number}.mp4".encode() + b"\xff", f"球{number}.mp4".encode()
        content = struct.pack("<BL", 1, zlib.crc32(raw) ^ damaged) + name
        fields[raw] = struct.pack("<HH", 0x7075, len(content)) + content
        members[raw] = number.encode()
    return zipped(path, members, fields=fields)


def folder_layout(root: Path, *, prompts: tuple[str, ...] = ("p1",)) -> Path:
    for name in prompts:
        write_file(root, f"{name}/prompt.txt", f"A ball rolls in {name}".encode())
        for clip in "ab":
            write_file(root, f"{name}/{clip}.mp4")
    return root


def with_droppings(root: Path) -> Path:
    folder_layout(root)
    for name in ("__MACOSX/p1/._a.mp4", "p1/._b.mp4", "p1/.DS_Store", "p1/Thumbs.db", "p1/desktop.ini", "README.md",
                 "LICENSE", "p1/licence.txt"):  # fmt: skip
        write_file(root, name, b"dropping")
    return root


def tarred(path: Path, folder: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as file:
        for member in sorted(folder.rglob("*")):
            file.add(member, member.relative_to(folder).as_posix(), recursive=False)
    return path


def in_gbk(path: Path) -> Path:
    """Write a tar whose names are in GBK, as on old Linux computers in China."""
    written = bytearray(path.read_bytes())
    for at in range(0, len(written), tarfile.BLOCKSIZE):
        if written[at + 257 : at + 262] == b"ustar":
            written[at : at + 100] = written[at : at + 100].replace(b"p########", "p红球水淺".encode("gbk"))
            written[at + 148 : at + 156] = b" " * 8
            written[at + 148 : at + 156] = b"%06o\0 " % sum(written[at : at + 512])
    path.write_bytes(written)
    return path


def joined(root: Path, name: str, mode: str) -> Path:
    parts = [tarred(root / f"{prompt}.part", folder_layout(root / f"in-{prompt}", prompts=(prompt,)), mode)
             for prompt in ("p1", "p2")]  # fmt: skip
    (root / name).write_bytes(b"".join(part.read_bytes() for part in parts))
    return root / name


def hard_linked(path: Path) -> Path:
    folder = folder_layout(path.parent / "in", prompts=("p1", "p2"))
    (folder / "p2/a.mp4").unlink()
    (folder / "p2/a.mp4").hardlink_to(folder / "p1/a.mp4")
    return tarred(path, folder)


def composed(root: Path, form: str, other: str) -> Path:
    """Write a manifest whose paths are in one form of Unicode, and files whose names are in the other."""
    names = [unicodedata.normalize(form, f"clips/{name}.mp4") for name in ("café", "한국어")]
    write(root, [prompt("p"), *(video(f"p-{n}", path=name) for n, name in enumerate(names))], files=False)
    for name in names:
        write_file(root, unicodedata.normalize(other, name), name.encode())
    return root


def rewritten(root: Path, name: str, content: bytes, lines: list[Any] = LINES) -> Path:
    """Write a manifest in another form, with its files next to it."""
    write(root, lines)
    (root / "manifest.jsonl").unlink()
    (root / name).write_bytes(content)
    return root


def published(root: Path, *, beside: str = "", packed: bool = False, **changes: Any) -> Path:
    """Write the SafeSora layout with one preference, and its videos below `beside`."""
    config(root, "SafeSora/config-train.json.gz", [preference(0) | changes])
    source = root if not packed else root.parent / "to-pack"
    for letter in "ab":
        write_file(source, f"{beside}videos/{video_of(0, letter)['video_path']}")
    if packed:
        tarred(root / "SafeSora/videos.tar.gz", source, "w:gz")
    return root


def in_hub_cache(root: Path, made: Path) -> Path:
    """Make a snapshot of a repository in a hub's cache, with links to a file or to all files of a folder."""
    repository = root / "datasets--x--y"
    snapshot, folder = repository / "snapshots/0123abc", made if made.is_dir() else made.parent
    (repository / "blobs").mkdir(parents=True)
    files = [made] if made.is_file() else sorted(path for path in made.rglob("*") if path.is_file())
    for number, file in enumerate(files):
        name = file.relative_to(folder)
        file.rename(repository / f"blobs/{number}")
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(Path(*[".."] * (len(name.parts) + 1), "blobs", str(number)))
    return snapshot if made.is_dir() else snapshot / made.name


def hub_cache(root: Path) -> Path:
    """Make a repository in a hub's cache. Its one snapshot has only links."""
    return in_hub_cache(root, published(root.parent / "made")).parent.parent


def settings_of(written: str) -> list[Any]:
    line = f'{{"type": "video", "id": "p-c", "prompt": "p", "path": "clips/p-a.mp4", "settings": {written}}}\n'
    return [prompt("p"), video("p-a"), line.encode()]


BOM = b"\xef\xbb\xbf"
ROWS = [prompt("p"), video("p-a"), video("p-b"), pair("p-a", "p-b"), *(prompt(f"x{n}") for n in range(300))]
GBK_ROWS = "".join(f'{{"type": "prompt", "id": "g{n}", "text": "红球 {n}"}}\n' for n in range(300)).encode("gbk")
CASES = {
    # 01: zips from Windows
    "gbk": Case(lambda root: of_names(root / "a.zip", "红球-1", "红球-2", "gbk"), said=("are in GBK", "confirm")),
    "gbk 5c": Case(lambda root: of_names(root / "a.zip", "水淺-1", "水淺-2", "gbk"), said=("are in GBK",)),
    "shift-jis": Case(lambda root: of_names(root / "a.zip", "表示-1", "表示-2", "cp932"), said=("are in Shift-JIS",)),
    "utf-8 without flag": Case(lambda root: of_names(root / "a.zip", "红球", "球", "utf-8"), not_said=("are in",)),
    "gbk that is utf-8 too": Case(lambda root: of_names(root / "a.zip", "模", "模.2", "gbk"), said=("GBK",)),
    "flagged, backslashes": Case(
        lambda root: of_names(root / "a.zip", "红球", "球", "utf-8", slash="\\", flags=0x800)
    ),
    "gbk, backslashes": Case(lambda root: of_names(root / "a.zip", "水淺", "球", "gbk", slash="\\")),
    "gbk without a manifest": Case(
        lambda root: of_names(root / "a.zip", "红球", "模型甲", "gbk", stated=False), None,
        said=("does not state", "GBK: “红球/", "CP437: “║∞╟≥/", "--name-encoding"),
    ),
    "gbk without a manifest, chosen": Case(
        lambda root: of_names(root / "a.zip", "红球", "模型甲", "gbk", stated=False), (1, 2, 1),
        not_said=("does not state",), options={"name_encoding": "gbk"},
    ),
    "shift-jis without a manifest": Case(
        lambda root: of_names(root / "a.zip", "赤い球", "モデル", "cp932", stated=False), None, said=("Shift-JIS: “",)
    ),
    "korean, chosen": Case(
        lambda root: of_names(root / "a.zip", "한국어", "공", "cp949", stated=False),
        not_said=("does not state",), options={"name_encoding": "euc-kr"},
    ),
    "not in the chosen encoding": Case(
        lambda root: of_names(root / "a.zip", "é", "ü", "cp1252", stated=False), None,
        said=("cannot be read in the chosen encoding",), options={"name_encoding": "utf-8"},
    ),
    "names in the field 0x7075": Case(lambda root: with_unicode_field(root / "a.zip")),
    "a field of an older name": Case(lambda root: with_unicode_field(root / "a.zip", damaged=True), None),
    "powershell": Case(
        lambda root: zipped(root / "a.zip", {b"study\\": b"", b"study\\p1\\prompt.txt": b"A ball",
                                             b"study\\p1\\a.mp4": b"a", b"study\\p1\\b.mp4": b"b"}),
    ),
    "deflate64": Case(
        lambda root: (path := zipped(root / "a.zip", {b"p/prompt.txt": b"A ball"})).write_bytes(
            path.read_bytes().replace(b"\x08\x00", b"\x09\x00")
        ) and path, None, said=("Deflate64, which Windows Explorer uses", "7-Zip"),
    ),
    # 02: what operating systems leave
    "droppings on the server": Case(with_droppings, said=("8 files that are not material were ignored", "._* (1)")),
    "droppings in a tar": Case(
        lambda root: tarred(root / "a.tar", with_droppings(root / "in")),
        said=("8 files that are not material were ignored", "README (1)", "Thumbs.db (1)"),
    ),
    "a manifest of another name": Case(
        lambda root: zipped(root / "a.zip", {b"._pairs.jsonl": b"\0", b"pairs.jsonl": manifest(*LINES),
                                             b"clips/._p-a.mp4": b"\0", b"clips/p-a.mp4": b"a",
                                             b"clips/p-b.mp4": b"b", b"README": b"Read me"}),
        said=("._* (2)", "README (1)"),
    ),
    "nested": Case(
        lambda root: zipped(root / "a.zip", {b"study/p1/prompt.txt": b"A", b"study/p1/a.mp4": b"a",
                                             b"study/p1/b.mp4": b"b", b"study/__MACOSX/p1/._a.mp4": b"\0",
                                             b"LICENSE.txt": b"MIT"}),
        said=("__MACOSX (1)", "LICENSE (1)"),
    ),
    # 03: one text in two forms of Unicode
    "files in NFD": Case(lambda root: composed(root, "NFC", "NFD")),
    "files in NFC": Case(lambda root: composed(root, "NFD", "NFC")),
    "prompts in both": Case(
        lambda root: write(root, [prompt("p", text="A caf\u00e9"), video("p-a"), video("p-b"),
                                  prompt("q", text="A cafe\u0301"), video("q-a"), video("q-b")]),
        (2, 4, 2), said=("The prompts p (line 1) and q (line 4) look alike",),
    ),
    # 04: values that would be changed
    "a key twice": Case(
        lambda root: write(root, [*LINES[:3], b'{"type":"pair","video_0":"p-a","video_1":"p-b","video_1":"p-c"}']),
        None, said=("manifest.jsonl 4 video_1 is there twice",), bad=1,
    ),
    "a key twice in settings": Case(
        lambda root: write(root, settings_of('{"cfg": 1, "cfg": 2}')), None, said=("3 settings.cfg is there twice",),
    ),
    **{
        f"{number} in settings": Case(
            lambda root, number=number: write(root, settings_of(f'{{"deep": [{{"cfg": {number}}}]}}')),
            None, said=(f"manifest.jsonl 3 settings.deep.0.cfg is {number}",), bad=1,
        )
        for number in ("123456789012345678901234567890", "9007199254740993", "-9007199254740993.0", "-0", "-0.0",
                       "7.123456789012345678901", "NaN", "Infinity", "1e400", "1e-400")
    },
    # 05: manifests of other forms
    "gzipped": Case(lambda root: rewritten(root, "manifest.jsonl.gz", gzip.compress(manifest(*ROWS))), (301, 2, 1)),
    "gzipped without saying so": Case(lambda root: rewritten(root, "manifest.jsonl", gzip.compress(manifest(*LINES)))),
    "an array": Case(lambda root: rewritten(root, "manifest.jsonl", json.dumps(ROWS, indent=2).encode()), (301, 2, 1)),
    "an array of another name": Case(lambda root: rewritten(root, "study.json", BOM + json.dumps(LINES).encode())),
    "old Mac": Case(lambda root: rewritten(root, "manifest.jsonl", manifest(*LINES).replace(b"\n", b"\r"))),
    "Windows": Case(lambda root: rewritten(root, "m.jsonl", BOM + manifest(*LINES).replace(b"\n", b"\r\n"))),
    "half an emoji": Case(
        lambda root: write(root, [*LINES[:3], b'{"type": "prompt", "id": "x", "text": "a cat \\ud83d"}']),
        None, said=("manifest.jsonl 4 text contains half of a character",), bad=1,
    ),
    **{
        f"a prompt of {ord(text):04X} only": Case(
            lambda root, text=text: write(root, [*LINES, prompt("x", text=text)]), None,
            said=("manifest.jsonl 5 text the prompt has no visible character",), bad=1,
        )
        for text in ("\u200b\ufeff\u3164\u2800\xad" if find_spec("diptych.visible_text") else "")
    },
    "half an emoji in SafeSora": Case(
        lambda root: published(root, prompt_text="a cat \ud83d"), None,
        said=("SafeSora/config-train.json.gz 1 prompt_text contains half of a character",), bad=1,
    ),
    **{
        name: Case(lambda root, file=file, content=content: rewritten(root, file, content), None, said=said)
        for name, file, content, said in (
            ("utf-16", "manifest.jsonl", manifest(*ROWS).decode().encode("utf-16"), ("UTF-16", "Save it as UTF-8")),
            ("utf-16 without a mark", "m.jsonl", manifest(*ROWS).decode().encode("utf-16-be"), ("is text in UTF-16",)),
            ("semicolons", "manifest.jsonl", b"type;id;text\n" + b"prompt;p;A ball\n" * 300, ("with semicolons",)),
            ("tabs", "manifest.jsonl", b"type\tid\ttext\n" + b"prompt\tp\tA\n" * 300, ("table with tabs",)),
            ("commas", "pairs.csv", b"type,id,text\n" + b"prompt,p,A\n" * 300, ("pairs.csv is a table",)),
            ("Excel", "manifest.jsonl", b"PK\3\4\x14\0\6\0\x08\0[Content_Types].xml xl/workbook.xml", ("an Excel",)),
            ("old Excel", "manifest.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ("is a table",)),
            ("gbk", "manifest.jsonl", manifest(*LINES) + GBK_ROWS, ("is not text in UTF-8", "The first is line 5")),
            ("objects on several lines", "manifest.jsonl",
             b"\n".join(json.dumps(line, indent=1).encode() for line in ROWS), ("spread over several lines",)),
            ("Python", "manifest.jsonl", b"\n".join(repr(line).encode() for line in ROWS), ("with text is line 1",)),
            ("a page", "manifest.jsonl", b"<!DOCTYPE html><html>Sign in</html>\n" * 300, ("an HTML or XML page",)),
            ("Git LFS", "manifest.jsonl", b"version https://git-lfs.github.com/spec/v1\noid x\n", ("git lfs pull",)),
        )
    },
    "one cause": Case(
        lambda root: write(root, [prompt(f"p{n}", license="MIT") for n in range(300)]), None,
        said=("All 300 rows of type prompt have the same fault", "in manifest.jsonl, line 1. license: is not a field"),
    ),
    "texts in UTF-16": Case(
        lambda root: [write_file(root, f"p{n}/{name}", content) for n in range(70)
                      for name, content in (("prompt.txt", "A ball".encode("utf-16")), ("a.mp4", b"a"))] and root,
        None, said=("No subfolder has a prompt.txt that can be read", "is text in UTF-16"),
    ),
    "a prompt that begins like a page": Case(
        lambda root: write_file(folder_layout(root), "p1/prompt.txt", b"<body of a lion, PAR1>") and root,
    ),
    "no texts and no manifest": Case(
        lambda root: [write_file(root, f"clips/{n}.mp4") for n in range(300)] and root, None,
        said=("No subfolder has a prompt.txt that can be read", "The first problem is in clips/prompt.txt"),
    ),
    "other files beside the videos": Case(
        lambda root: [write_file(folder_layout(root), f"p1/{n}.json", b"{}") for n in range(300)] and root, None,
        said=("299 more files have the same problem.",), bad=1,
    ),
    "no file is there": Case(
        lambda root: write(root, prompts_with_videos(30, 10), files=False), None,
        said=("None of the 300 video files exists. The first is clips/p0-a.mp4 (line 2).",),
    ),
    "backslashes in paths": Case(
        lambda root: write(root, [prompt("p"), *(video(f"p-{n}", path=f"clips\\{n}.mp4") for n in "ab")], files=False),
        None, said=("None of the 2 video files exists", "Write paths with forward slashes"),
    ),
    "no file has content": Case(
        lambda root: write(root, LINES, files=False) and [write_file(root, f"clips/p-{n}.mp4", b"") for n in "ab"]
        and root, None, said=("None of the 2 video files can be read", "clips/p-a.mp4 is empty."),
    ),
    "an array of something else": Case(
        lambda root: rewritten(root, "manifest.jsonl", json.dumps([["prompt", n] for n in range(300)]).encode()), None,
        said=("is a JSON array, but not of objects",),
    ),
    "records of something else": Case(
        lambda root: config(root, "config-train.json", [{"id": n, "text": "A ball"} for n in range(300)]).parent, None,
        said=("None of the 300 records is a SafeSora record", "is in config-train.json, line 1: prompt_id"),
    ),
    "an archive of another kind": Case(
        lambda root: write_file(root, "a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(300)), None,
        said=("a.7z is a 7-Zip archive, which cannot be imported. Unpack it, and pack it again as .zip",),
    ),
    "a name that is not UTF-8": Case(
        lambda root: (folder_layout(root) / b"\xff.txt".decode("utf-8", "surrogateescape")).write_bytes(b"x") and root,
        None, said=("?.txt None  Only subfolders are expected here",), bad=1,
    ),
    "files are still packed": Case(
        lambda root: write(root, LINES, files=False) and write_file(root, "clips.zip") and root, None,
        said=("clips.zip is next to the manifest: unpack it",),
    ),
    # 06: tars of which a part was lost
    "two in one": Case(lambda root: joined(root, "a.tar", "w"), (2, 4, 2)),
    "two in one, packed": Case(lambda root: joined(root, "a.tar.gz", "w:gz"), (2, 4, 2)),
    "gbk in a tar, chosen": Case(
        lambda root: in_gbk(tarred(root / "a.tar", folder_layout(root / "in", prompts=("p########",)))),
        options={"name_encoding": "gbk"},
    ),
    "gbk in a tar": Case(
        lambda root: in_gbk(tarred(root / "a.tar", folder_layout(root / "in", prompts=("p########",)))), None,
        said=("The file names in this tar are not in UTF-8", "GBK: “p红球水淺", "--name-encoding"),
    ),
    "hard link": Case(lambda root: hard_linked(root / "a.tar"), (2, 4, 2)),
    # 07: SafeSora as it is downloaded
    "not unpacked": Case(
        lambda root: published(root, packed=True), None,
        said=("The videos in SafeSora/videos.tar.gz are not unpacked", "tar -xf"),
    ),
    "unpacked beside the configs": Case(lambda root: published(root, beside="SafeSora/")),
    "unpacked into a folder of its name": Case(lambda root: published(root, beside="SafeSora/videos/")),
    "no videos at all": Case(lambda root: published(root, beside="elsewhere/"), None, said=("no folder “videos”",)),
    "hub cache": Case(hub_cache),
    "the whole hub cache": Case(lambda root: hub_cache(root / "hub").parent),
    "an archive in the hub cache": Case(
        lambda root: in_hub_cache(root, tarred(root / "a.tar.gz", folder_layout(root / "in"), "w:gz"))
    ),
    "a manifest in the hub cache": Case(
        lambda root: in_hub_cache(root, write(root / "in", [prompt("p"), video("p-a"), video("p-b")]))
        / "manifest.jsonl", (1, 2, 1),
    ),
    "a snapshot of the hub cache": Case(lambda root: hub_cache(root) / "snapshots/0123abc"),
}  # fmt: skip


def outcome(job: Import) -> str:
    """Return everything that is said about an ended import."""
    rows = [f"{row['file']} {row['line']} {row['field']} {row['reason']}" for row in bad_rows(job)]
    return "\n".join([job.reason, *warnings(job), *rows])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_material_as_people_have_it(study, root, case):
    made = case.make(root / "given") if not (root / "given").mkdir() else None
    job = jobs.ask(study, source="server", location=str(made), options=case.options, actor=None)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    said = outcome(job)
    added = (
        job.report and job.report["imported"] and tuple(job.report[n]["added"] for n in ("prompts", "videos", "pairs"))
    )
    assert (added or None) == case.added, said
    for words in case.said:
        assert words in said
    for words in case.not_said:
        assert words not in said
    assert len(said.splitlines()) < 8
    assert not case.bad or job.bad_rows == case.bad
