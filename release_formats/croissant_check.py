"""Check a Croissant description against the files that it describes. mlcroissant validates less: it passes over wrong
hashes and unknown names of RAI. Every release with such a description is checked before it is complete.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import IO, Any

#: Opens a file by its path in the release.
Open = Callable[[str], AbstractContextManager[IO[bytes]]]

NAMESPACES = {
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
}
VERSION = re.compile(r"http://mlcommons\.org/croissant/1\.\d")
RAI = "http://mlcommons.org/croissant/RAI/1.0"
#: The properties of Croissant RAI 1.0.
RAI_NAMES = frozenset(
    {
        *("annotationsPerItem", "annotatorDemographics", "dataAnnotationAnalysis", "dataAnnotationPlatform"),
        *("dataAnnotationProtocol", "dataBiases", "dataCollection", "dataCollectionMissingData"),
        *("dataCollectionRawData", "dataCollectionTimeframe", "dataCollectionType", "dataImputationProtocol"),
        *("dataLimitations", "dataManipulationProtocol", "dataPreprocessingProtocol", "dataReleaseMaintenancePlan"),
        *("dataSocialImpact", "dataUseCases", "machineAnnotationTools", "personalSensitiveInformation"),
    }
)
REQUIRED = ("name", "description", "license", "url", "creator", "datePublished")
SHA256 = re.compile(r"[0-9a-f]{64}")
PARQUET = "application/x-parquet"


def faults(document: Mapping[str, Any], open_file: Open) -> list[str]:
    """Return a sentence for each fault of a description; none if it is right.

    The hashes are computed from the bytes that `open_file` reads, and the first record of each Parquet file is read.
    Raise OSError.
    """
    return [*_of_document(document), *_of_files(document, open_file), *_of_record_sets(document, open_file)]


def _of_document(document: Mapping[str, Any]) -> Iterator[str]:
    context = document.get("@context", {})
    for prefix, expected in NAMESPACES.items():
        if context.get(prefix, expected) != expected:
            yield f"The prefix {prefix} is {context[prefix]}. It must be {expected}."
    stated = document.get("conformsTo", [])
    conforms = [stated] if isinstance(stated, str) else list(stated)
    if not any(VERSION.fullmatch(one) for one in conforms):
        yield "conformsTo names no version of Croissant."
    names = {name.removeprefix("rai:") for name in document if name.startswith("rai:")}
    if names and RAI not in conforms:
        yield f"It has properties of RAI, and conformsTo does not name {RAI}."
    for name in sorted(names - RAI_NAMES):
        yield f"RAI has no property {name}."
    for name in REQUIRED:
        if not document.get(name):
            yield f"It has no {name}."


def _of_files(document: Mapping[str, Any], open_file: Open) -> Iterator[str]:
    seen = set()
    for file in document.get("distribution", []):
        path, stated = file.get("contentUrl", ""), file.get("sha256", "")
        if file.get("@id") in seen:
            yield f"Two files have the id {file['@id']}."
        seen.add(file.get("@id"))
        if not stated:
            yield f"{path} has no sha256."
        elif not SHA256.fullmatch(stated):
            yield f"The sha256 of {path} is {stated}, which is no hash."
        elif (found := _sha256(open_file, path)) != stated:
            yield f"The sha256 of {path} is {stated}, and that of its bytes is {found}."


def _sha256(open_file: Open, path: str) -> str:
    try:
        with open_file(path) as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
            return digest.hexdigest()
    except FileNotFoundError:
        return "unknown, because there is no such file"


def _of_record_sets(document: Mapping[str, Any], open_file: Open) -> Iterator[str]:
    files = {file.get("@id"): file for file in document.get("distribution", [])}
    for record_set in document.get("recordSet", []):
        name = record_set.get("@id", "")
        fields = {field.get("@id"): field for field in record_set.get("field", [])}
        key = record_set.get("key", {}).get("@id")
        if key is not None and key not in fields:
            yield f"The key {key} of {name} is none of its fields."
        columns: dict[str, list[str]] = {}
        for field_id, field in fields.items():
            source = field.get("source", {})
            file_id = source.get("fileObject", {}).get("@id", "")
            if file_id not in files:
                yield f"The field {field_id} is from the file {file_id}, which is not described."
            else:
                columns.setdefault(file_id, []).append(source.get("extract", {}).get("column", ""))
        for file_id, wanted in columns.items():
            if files[file_id].get("encodingFormat") == PARQUET:
                yield from _of_first_record(files[file_id].get("contentUrl", ""), wanted, open_file)


def _of_first_record(path: str, wanted: list[str], open_file: Open) -> Iterator[str]:
    """Read the first record of a Parquet file, with these columns."""
    import pyarrow as pa  # only jobs need Arrow
    import pyarrow.parquet as pq

    try:
        with open_file(path) as file:
            parquet = pq.ParquetFile(file)
            if missing := sorted(set(wanted) - set(parquet.schema_arrow.names)):
                yield f"{path} has no column {', '.join(missing)}."
                return
            if next(parquet.iter_batches(1, columns=wanted), None) is None:
                yield f"{path} has no record."
    except FileNotFoundError:
        return  # said of the hash already
    except pa.ArrowException as error:
        yield f"The first record of {path} cannot be read: {error}."
