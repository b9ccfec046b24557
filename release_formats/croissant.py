"""`croissant.json`: a description of a release for machines, in Croissant 1.1 with RAI 1.0.

Each record set is one Parquet file, because a file has a hash and a set of files has none. The description is checked
against the published bytes before it is written.
"""

import logging
from collections.abc import Iterable
from typing import Any

import orjson
from django.utils.translation import gettext_lazy, gettext_noop

from diptych.downloads import CopyFile
from diptych.refusals import Refused
from release_formats import croissant_check
from release_formats.columns import Column
from release_formats.tables import Published, published
from releases.formats import Folder, Format
from releases.items import Items
from releases.models import Release

PATH = "croissant.json"
#: Workers write this sentence in English, and pages translate it.
WRONG = gettext_noop(
    "The description for Croissant does not fit the files. Tell your server administrator. The log has details."
)
OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
TYPES = {
    "string": "sc:Text",
    "json": "sc:Text",
    "integer": "cr:Int64",
    "number": "cr:Float64",
    "boolean": "sc:Boolean",
    "day": "sc:Date",
    "moment": "sc:DateTime",
    "strings": "sc:Text",
    "integers": "cr:Int64",
}
KEYS = {"pairs": "pair_id", "tv_pairs": "video_id", "annotations": "annotation_id", "invalid": "annotation_id"}
KEYS |= {"prompts": "prompt_id", "frames": "video_id", "video_archives": "video_id"}
_OF_CROISSANT = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty"),
    *("fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator"),
    *("source", "subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in _OF_CROISSANT},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}

logger = logging.getLogger(__name__)


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the file. Raise Refused if the description does not fit the published files."""

    def write_checked(file: CopyFile) -> None:
        written = folder.written()
        hashes = {row.path: row.sha256 for row in written}
        made = document(release, published(release, written), hashes)
        if wrong := croissant_check.faults(made, folder.open):
            logger.error("The description of %s for Croissant is wrong: %s", release, " ".join(wrong))
            raise Refused(WRONG, "wrong_description")
        file.write(orjson.dumps(made, option=OPTIONS))

    folder.add(PATH, write_checked)


def document(release: Release, tables: Iterable[Published], hashes: dict[str, str]) -> dict[str, Any]:
    """Return the description of a release with these tables. `hashes` are the SHA-256 of its files by path."""
    from release_formats import rai  # loads numpy, which only jobs need

    assert release.frozen_at is not None  # noqa: S101 - files follow items
    title, day = release.about["title"], release.frozen_at.date()
    files = [(table, part, path) for table in tables for part, paths in table.files.items() for path in paths]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": f"{release.about['study']}-{release.number}",
        "alternateName": f"{title}, release {release.number}",
        "description": f"Preferences of people between two AI-generated videos of one prompt. {title}, release "
        f"{release.number}: {release.counts['answers']} answers.",
        "license": release.licence,
        "url": f"urn:diptych:{release.about['study']}:{release.number}",
        "version": f"{release.number}.0.0",
        "datePublished": day.isoformat(),
        "citeAs": f"{title}. Release {release.number}, {day.year}.",
        "creator": {"@type": "sc:Organization", "name": title},
        "inLanguage": "en",
        **rai.properties(release),
        "distribution": [_file(path, hashes[path]) for _table, _part, path in files],
        "recordSet": [_record_set(table, path) for table, _part, path in files],
    }


def _file(path: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": "application/x-parquet",
        "sha256": sha256,
    }


def name_of(path: str) -> str:
    """Return the name of the record set of a file: its path as one word."""
    return path.removesuffix(".parquet").replace("/", "_")


def _record_set(table: Published, path: str) -> dict[str, Any]:
    name = name_of(path)
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/{KEYS[table.name]}"},
        "field": [_field(name, path, column) for column in table.columns],
    }


def _field(record_set: str, path: str, column: Column) -> dict[str, Any]:
    shape = {"isArray": True, "arrayShape": "-1"} if column.kind in {"strings", "integers"} else {}
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        "dataType": TYPES[column.kind],
        **shape,
        "source": {"fileObject": {"@id": path}, "extract": {"column": column.name}},
    }


FORMAT = Format(
    "croissant", gettext_lazy("Croissant: a description for machines"), write, order=100, needs=("parquet",)
)
