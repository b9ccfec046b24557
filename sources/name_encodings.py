"""Read the names in an archive that does not state their encoding.

Zip archives of Windows programs have names in the code page of the computer on which they were made, and do not state
it. If the archive has a manifest, its paths decide. Otherwise the import stops before it writes anything, shows how the
names read in the likely encodings, and asks the person to choose one.
"""

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, cast

from django.utils.translation import gettext_noop as _

from diptych.refusals import Refused
from sources.left_out import left_out
from sources.records import of_file
from sources.sentences import MESSAGE, VALUES, Sentence

#: Encodings that people can choose: name and codec. The more likely ones come first.
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
#: Encodings that are tried without a manifest.
GUESSED = ("utf-8", "gbk", "shift-jis", "big5", "euc-kr", "cp437", "cp866")
#: The least likelihood from which a reading counts as a guess.
LEAST_LIKELY = 0.5
#: Factor for an East Asian character after a Latin letter, where an accented letter of a European name is more likely.
IN_A_WORD = 0.8
#: Names that are UTF-8 are read so, unless another reading is at least this likely.
ALSO_LIKELY = 0.9
#: The most names that are shown in each reading.
MOST_NAMES = 3
UTF8_FLAG = 0x800
#: The extra field with a name in UTF-8: tag, length, version, CRC-32 of the name that it replaces (APPNOTE 4.6.9).
UNICODE_PATH = 0x7075
_FIELD, _UNICODE_PATH = struct.Struct("<HH"), struct.Struct("<BL")
MANIFESTS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
#: Rows and bytes of a manifest that are searched for paths.
MOST_ROWS, MOST_BYTES = 100_000, 64 << 20
QUESTION = _(
    "The archive does not state the encoding of its file names, so nothing was imported yet. The names can be read as "
    "%(readings)s. %(advice)s"
)
TAR_QUESTION = _(
    "The file names in this tar are not in UTF-8, and the tar does not state their encoding, so nothing was imported "
    "yet. The first can be read as %(readings)s. %(advice)s"
)
CHOOSE = _("Choose the right encoding under “File name encoding” (name_encoding, --name-encoding) and import again.")


class Names(NamedTuple):
    """The names of an archive's members in their order.

    Attributes:
        code_page: the encoding of the names without a stated one. Empty if there are none.
        note: the sentence for the report. Empty if there is nothing to say.
    """

    names: list[str]
    code_page: str = ""
    note: str = ""


def names_of(archive: zipfile.ZipFile, chosen: str = "") -> Names:
    """Return the members' names, with forward slashes. Raises Refused if they cannot be read.

    Args:
        chosen: the encoding that the person chose, a key of CODECS. Empty to find it out.
    """
    members = archive.infolist()
    known = [_stated(member) for member in members]
    unknown = sorted({_raw(member) for member, name in zip(members, known, strict=True) if name is None})
    if not unknown:
        return Names([_slashed(name or "") for name in known])
    stated = [_slashed(name) for name in known if name is not None]
    key, note = (chosen, "") if chosen else _found(archive, stated, unknown)
    names = [
        _slashed(_decoded(_raw(member), CODECS[key]) if name is None else name)
        for member, name in zip(members, known, strict=True)
    ]
    return Names(names, key, note)


def decoded_name(name: str, chosen: str) -> str:
    """Return the name of a tar's member, which Python read as UTF-8. Raises Refused if it is in another encoding."""
    if name.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in name):
        return name
    raw = name.encode("utf-8", "surrogateescape")
    if chosen:
        return _decoded(raw, CODECS[chosen])
    raise _question([raw], TAR_QUESTION)


def readings_asked(stored: Any) -> list[tuple[str, str, str]]:
    """Return what a person can choose from: key and label of each likely encoding, and how the names read in it.

    Args:
        stored: the reason of a failed import, as `sentences.stored` returns it. The list is empty for other reasons.
    """
    if not isinstance(stored, Mapping) or stored.get(MESSAGE) not in (QUESTION, TAR_QUESTION):
        return []
    values = stored.get(VALUES, {})
    return [(key, label, values[key]) for key, label in LABELS.items() if key in values]


def _question(unknown: Sequence[bytes], template: str) -> Refused:
    """Return the refusal that asks for the encoding. Its sentence also has the names in each reading as a value."""
    likely = [key for key, _score in _likely(unknown)]
    # CP437 is what the standard of zip prescribes, and every name can be read in it.
    keys = [*likely, *(["cp437"] if "cp437" not in likely else [])]
    read = {key: ", ".join(_shown(key, raw) for raw in unknown[:MOST_NAMES]) for key in keys}
    readings = "; ".join(f"{LABELS[key]}: {names}" for key, names in read.items())
    return Refused(Sentence(template, **read, readings=readings, advice=Sentence(CHOOSE)))


def _raw(member: zipfile.ZipInfo) -> bytes:
    """Return the name's bytes, which Python read as CP437."""
    return member.orig_filename.encode("cp437")


def _stated(member: zipfile.ZipInfo) -> str | None:
    """Return the name if the archive states its encoding, or if it is ASCII. Return None otherwise."""
    if member.flag_bits & UTF8_FLAG or member.orig_filename.isascii():
        return member.orig_filename
    raw, extra = _raw(member), member.extra
    while len(extra) >= _FIELD.size:
        tag, length = _FIELD.unpack_from(extra)
        content, extra = extra[_FIELD.size : _FIELD.size + length], extra[_FIELD.size + length :]
        if tag == UNICODE_PATH and len(content) > _UNICODE_PATH.size:
            version, checksum = _UNICODE_PATH.unpack_from(content)
            if version == 1 and checksum == zlib.crc32(raw):  # another checksum: the name was changed later
                try:
                    return content[_UNICODE_PATH.size :].decode()
                except UnicodeDecodeError:
                    return None
    return None


def _slashed(name: str) -> str:
    """Return a decoded name with forward slashes: Windows programs write backslashes between folders."""
    return name.replace("\\", "/")


def _decoded(raw: bytes, codec: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        shown = raw.decode("ascii", "replace")[:200]
        template = _("The name “%(name)s” in the archive cannot be read in the chosen encoding. %(advice)s")
        raise Refused(Sentence(template, name=shown, advice=Sentence(CHOOSE))) from None


def _found(archive: zipfile.ZipFile, known: Sequence[str], unknown: Sequence[bytes]) -> tuple[str, str]:
    """Return the encoding of the names, and the sentence for the report. Raises Refused to ask for the encoding."""
    readable = {key: read for key, codec in CODECS.items() if (read := _all_decoded(unknown, codec)) is not None}
    likely = dict(_likely(unknown))
    ordered = [*likely, *(key for key in readable if key not in likely)]
    if paths := _stated_paths(archive):
        missing = paths - _reached(known, "cp437", archive)
        hits = {key: missing & _reached([*known, *readable[key]], key, archive) for key in ordered}
        key = max(hits, key=lambda key: len(hits[key]))  # the first of those with equally many
        best = [other for other in hits.values() if len(other) == len(hits[key])]
        if not missing or (hits[key] and all(other == hits[key] for other in best)):
            template = _("The file names in the archive are in %(encoding)s, as the paths of the manifest confirm.")
            is_plain = not missing or key == "utf-8" or all(path.isascii() for path in hits[key])
            return key, "" if is_plain else Sentence(template, encoding=LABELS[key])
    if "utf-8" in likely and not any(score >= ALSO_LIKELY for other, score in likely.items() if other != "utf-8"):
        return "utf-8", ""
    raise _question(unknown, QUESTION)


def _shown(key: str, raw: bytes) -> str:
    return f"“{_slashed(raw.decode(CODECS[key], 'replace'))[:100]}”"


def _all_decoded(unknown: Sequence[bytes], codec: str) -> list[str] | None:
    try:
        return [raw.decode(codec) for raw in unknown]
    except UnicodeDecodeError:
        return None


def _manifests(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that can be manifests, those nearest to the top first."""
    found = [
        member
        for member in archive.infolist()
        if member.orig_filename.lower().endswith(MANIFESTS) and not left_out(_slashed(member.orig_filename))
    ]
    return sorted(found, key=lambda member: _slashed(member.orig_filename).count("/"))[:3]


def _stated_paths(archive: zipfile.ZipFile) -> set[str]:
    """Return the paths of the files that the archive's manifests name, as far as they can be read."""
    paths: set[str] = set()
    for member in _manifests(archive):
        read = 0
        try:
            with archive.open(member) as file:
                for record in islice(of_file(cast(BinaryIO, file), member.orig_filename), MOST_ROWS):
                    path = (record.content or {}).get("path")
                    if isinstance(path, str):
                        paths.add(_composed(path))
                    read += len(record.written)
                    if read > MOST_BYTES:
                        break
        except (Refused, OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
            continue  # unpacking or reading the file reports what is wrong with it
    return paths


def _reached(read: Sequence[str], key: str, archive: zipfile.ZipFile) -> set[str]:
    """Return the paths, relative to a manifest's folder, of files whose names were read in this encoding."""
    whole = [_composed(_slashed(name)) for name in read]
    manifests = (_stated(member) or _raw(member).decode(CODECS[key], "replace") for member in _manifests(archive))
    depths = {_slashed(name).count("/") for name in manifests}
    return {name.split("/", depth)[-1] for name in whole for depth in depths}


def _composed(path: str) -> str:
    """Return the path in the form in which paths are compared: macOS stores accents separately."""
    return unicodedata.normalize("NFC", path.removeprefix("./"))


def _likely(unknown: Sequence[bytes]) -> list[tuple[str, float]]:
    """Return the possible encodings of the names, each with its likelihood from 0 to 1, the most likely first."""
    scores = []
    for key in GUESSED:
        read = _all_decoded(unknown, CODECS[key])
        if read is not None and (score := _score(key, read)) >= LEAST_LIKELY:
            scores.append((key, score))
    return sorted(scores, key=lambda scored: -scored[1])  # sorting is stable, so ties keep the order of GUESSED


def _score(key: str, read: Collection[str]) -> float:
    signs = [*islice(_beyond_ascii(read), 10_000)]
    return sum(_likelihood(key, before, sign) for before, sign in signs) / len(signs)


def _beyond_ascii(read: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each character that is not ASCII, with the one before it."""
    for name in read:
        for before, sign in zip(f" {name}", name, strict=False):
            if not sign.isascii():
                yield before, sign


#: The codec of an encoding's common characters, and the first bytes of its common characters and of its punctuation.
COMMON = {
    "gbk": ("gb2312", (0xB0, 0xD7), (0xA1, 0xA3)),
    "shift-jis": ("shift_jis", (0x82, 0x97), (0x81, 0x81)),
    "big5": ("big5", (0xA4, 0xC6), (0xA1, 0xA3)),
    "euc-kr": ("euc_kr", (0xB0, 0xC8), (0xA1, 0xA3)),
}


def _likelihood(key: str, before: str, sign: str) -> float:
    """Return how likely a character is in names in this encoding, from 0 to 1.

    Names that are read in a wrong encoding have rare characters, box-drawing characters and narrow kana.
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
