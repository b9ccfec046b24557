"""Read the names in an archive whose program did not say how it wrote them.

Zip archives of Windows programs have names in the code page of the computer they were made on, and nothing says which.
The manifest's paths decide where they can. Without them the most likely code page is taken, the report says which, and
the person can choose another.
"""

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

from diptych.refusals import Refused
from importing.left_out import left_out
from importing.records import of_file

#: What people can choose: its name, and the codec that reads it. The likelier ones come first.
CODE_PAGES = {
    "utf-8": ("UTF-8", "utf-8"),
    "gbk": ("GBK", "gb18030"),
    "shift-jis": ("Shift-JIS", "cp932"),
    "big5": ("Big5", "cp950"),
    "euc-kr": ("EUC-KR", "cp949"),
    "cp437": ("CP437", "cp437"),
    "cp850": ("CP850", "cp850"),
    "cp866": ("CP866", "cp866"),
    "cp1251": ("CP1251", "cp1251"),
    "cp1252": ("CP1252", "cp1252"),
}
LABELS = {key: label for key, (label, _codec) in CODE_PAGES.items()}
CODECS = {key: codec for key, (_label, codec) in CODE_PAGES.items()}
#: Those that are guessed without a manifest.
GUESSED = ("utf-8", "gbk", "shift-jis", "big5", "euc-kr", "cp437", "cp866")
#: A reading that is less likely than this is no guess.
LEAST_LIKELY = 0.5
#: How much less likely a character of East Asia is behind a Latin letter, which an accent of a European name is not.
IN_A_WORD = 0.8
#: Other readings that are so likely are named in the report.
ALSO_LIKELY = 0.9
UTF8_FLAG = 0x800
#: The extra field with a name in UTF-8: tag, length, version, CRC-32 of the name that it stands for (APPNOTE 4.6.9).
UNICODE_PATH = 0x7075
_FIELD, _UNICODE_PATH = struct.Struct("<HH"), struct.Struct("<BL")
MANIFESTS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
#: Rows of a manifest that are looked at for paths, and bytes.
MOST_ROWS, MOST_BYTES = 100_000, 64 << 20
CHOOSE = "choose the right one under “Code page of the names” (name_encoding, --name-encoding) and import again"


class Names(NamedTuple):
    """The names of an archive's members in their order.

    Attributes:
        code_page: the code page of those that do not say it; empty if there are none.
        note: what the report says of it, if anything.
    """

    names: list[str]
    code_page: str = ""
    note: str = ""


def names_of(archive: zipfile.ZipFile, chosen: str = "") -> Names:
    """Return the members' names, with forward slashes. Raises Refused where they cannot be read.

    Args:
        chosen: the code page that the person said, a key of CODECS; empty to find it out.
    """
    members = archive.infolist()
    known = [_stated(member) for member in members]
    unknown = sorted({_raw(member) for member, name in zip(members, known, strict=True) if name is None})
    if not unknown:
        return Names([_slashed(name or "") for name in known])
    key, note = (chosen, "") if chosen else _found(archive, unknown)
    names = [
        _slashed(_decoded(_raw(member), CODECS[key]) if name is None else name)
        for member, name in zip(members, known, strict=True)
    ]
    return Names(names, key, note)


def decoded_name(name: str, chosen: str) -> str:
    """Return the name of a tar's member, which Python read as UTF-8. Raises Refused where it is not that."""
    if name.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in name):
        return name
    raw = name.encode("utf-8", "surrogateescape")
    if chosen:
        return _decoded(raw, CODECS[chosen])
    readings = ", ".join(_reading(key, raw) for key, _score in _likely([raw]))
    raise Refused(
        "The names in this tar are not in UTF-8, and it does not say in which code page they are. "
        f"The first is {readings or 'in none that is known here'}: {CHOOSE}."
    )


def _raw(member: zipfile.ZipInfo) -> bytes:
    """Return the name's bytes, which Python read as CP437."""
    return member.orig_filename.encode("cp437")


def _stated(member: zipfile.ZipInfo) -> str | None:
    """Return the name if the archive says how it is written, or if it is plain; None otherwise."""
    if member.flag_bits & UTF8_FLAG or member.orig_filename.isascii():
        return member.orig_filename
    raw, extra = _raw(member), member.extra
    while len(extra) >= _FIELD.size:
        tag, length = _FIELD.unpack_from(extra)
        content, extra = extra[_FIELD.size : _FIELD.size + length], extra[_FIELD.size + length :]
        if tag == UNICODE_PATH and len(content) > _UNICODE_PATH.size:
            version, checksum = _UNICODE_PATH.unpack_from(content)
            if version == 1 and checksum == zlib.crc32(raw):  # another checksum: the name was changed since
                try:
                    return content[_UNICODE_PATH.size :].decode()
                except UnicodeDecodeError:
                    return None
    return None


def _slashed(name: str) -> str:
    """Windows programs write backslashes between folders. They are replaced only once the name is decoded."""
    return name.replace("\\", "/")


def _decoded(raw: bytes, codec: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        shown = raw.decode("ascii", "replace")[:200]
        raise Refused(f"The name “{shown}” in the archive cannot be read in the chosen code page; {CHOOSE}.") from None


def _found(archive: zipfile.ZipFile, unknown: Sequence[bytes]) -> tuple[str, str]:
    """Return the code page of the names, and what the report says of it."""
    readable = {key: read for key, codec in CODECS.items() if (read := _all_decoded(unknown, codec)) is not None}
    paths = _stated_paths(archive)
    hits = {key: len(paths & _reached(read, archive)) for key, read in readable.items()} if paths else {}
    if hits and (most := max(hits.values())):
        key = next(key for key in readable if hits[key] == most)
        said = f"The names in the archive are in {LABELS[key]}, as the paths of the manifest confirm."
        return key, "" if key == "utf-8" else said
    likely = _likely(unknown)
    if not likely:
        raise Refused(
            f"The archive does not say in which code page its names are, and it could not be guessed: {CHOOSE}."
        )
    [(key, _best), *others] = likely
    also = [_reading(other, unknown[0]) for other, score in others if score >= ALSO_LIKELY]
    if key == "utf-8" and not also:
        return key, ""
    return key, (
        f"The archive does not say in which code page its names are. They were read as {LABELS[key]}: the first is "
        f"{_shown(key, unknown[0])}{', and it could be ' + ', '.join(also) if also else ''}. If that is wrong, "
        f"{CHOOSE}."
    )


def _reading(key: str, raw: bytes) -> str:
    return f"{_shown(key, raw)} in {LABELS[key]}"


def _shown(key: str, raw: bytes) -> str:
    return f"“{_slashed(raw.decode(CODECS[key], 'replace'))[:100]}”"


def _all_decoded(unknown: Sequence[bytes], codec: str) -> list[str] | None:
    try:
        return [raw.decode(codec) for raw in unknown]
    except UnicodeDecodeError:
        return None


def _manifests(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that may be manifests, the nearest to the top first."""
    found = [
        member
        for member in archive.infolist()
        if member.orig_filename.lower().endswith(MANIFESTS) and not left_out(_slashed(member.orig_filename))
    ]
    return sorted(found, key=lambda member: _slashed(member.orig_filename).count("/"))[:3]


def _stated_paths(archive: zipfile.ZipFile) -> set[str]:
    """Return the paths that are not plain ASCII in the archive's manifests, as far as they can be read."""
    paths: set[str] = set()
    for member in _manifests(archive):
        read = 0
        try:
            with archive.open(member) as file:
                for record in islice(of_file(cast(BinaryIO, file), member.orig_filename), MOST_ROWS):
                    path = (record.content or {}).get("path")
                    if isinstance(path, str) and not path.isascii():
                        paths.add(_composed(path))
                    read += len(record.written)
                    if read > MOST_BYTES:
                        break
        except (Refused, OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
            continue  # what is wrong with it, unpacking or reading it says
    return paths


def _reached(read: Sequence[str], archive: zipfile.ZipFile) -> set[str]:
    """Return what a manifest would call the files whose names were read so: paths from its folder on."""
    whole = [_composed(_slashed(name)) for name in read]
    depths = {_slashed(member.orig_filename).count("/") for member in _manifests(archive)}
    return {name.split("/", depth)[-1] for name in whole for depth in depths}


def _composed(path: str) -> str:
    """Return the path as it is compared: macOS stores letters and their accents apart."""
    return unicodedata.normalize("NFC", path.removeprefix("./"))


def _likely(unknown: Sequence[bytes]) -> list[tuple[str, float]]:
    """Return the code pages that the names may be in with how likely each is, from 0 to 1, the likeliest first."""
    scores = []
    for key in GUESSED:
        read = _all_decoded(unknown, CODECS[key])
        if read is not None and (score := _score(key, read)) >= LEAST_LIKELY:
            scores.append((key, score))
    return sorted(scores, key=lambda scored: -scored[1])  # of equal ones the first in GUESSED stays first


def _score(key: str, read: Collection[str]) -> float:
    signs = [*islice(_beyond_ascii(read), 10_000)]
    return sum(_likelihood(key, before, sign) for before, sign in signs) / len(signs)


def _beyond_ascii(read: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each character that is not ASCII, with the one before it."""
    for name in read:
        for before, sign in zip(f" {name}", name, strict=False):
            if not sign.isascii():
                yield before, sign


#: The codec of the common characters of a code page; the first bytes of its common characters, and of its punctuation.
COMMON = {
    "gbk": ("gb2312", (0xB0, 0xD7), (0xA1, 0xA3)),
    "shift-jis": ("shift_jis", (0x82, 0x97), (0x81, 0x81)),
    "big5": ("big5", (0xA4, 0xC6), (0xA1, 0xA3)),
    "euc-kr": ("euc_kr", (0xB0, 0xC8), (0xA1, 0xA3)),
}


def _likelihood(key: str, before: str, sign: str) -> float:
    """Return how likely a character is in names of this code page, from 0 to 1.

    Read in a wrong code page, names have rare characters, signs for drawing boxes, and narrow kana.
    """
    if key == "utf-8":
        return 1.0  # hardly anything else is UTF-8 by chance
    if key in COMMON:
        codec, (first, last), (sign_first, sign_last) = COMMON[key]
        try:
            written = sign.encode(codec)
        except UnicodeEncodeError:
            return 0.1
        if len(written) == 1:  # narrow kana
            return 0.1
        lead = written[0]
        likelihood = 1.0 if first <= lead <= last else 0.8 if sign_first <= lead <= sign_last else 0.4
        return likelihood * (IN_A_WORD if before.isascii() and before.isalpha() else 1)
    script = unicodedata.name(sign, "").split(" ")[0]
    if key == "cp866":
        return 1.0 if script == "CYRILLIC" and not (before.isascii() and before.isalpha()) else 0.0
    return 1.0 if script == "LATIN" else 0.0
