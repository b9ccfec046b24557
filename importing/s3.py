"""Fetches what is imported out of S3: one object, all below a prefix, or what a manifest's `s3://` paths name.

Only buckets that the operator lists (IMPORT_S3_BUCKETS) are read: with our credentials anybody who may import could
otherwise read whatever those may.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.translation import gettext as _

from diptych.refusals import BadInput, Refused
from importing.files import in_threads, locate
from importing.inside import FileTrouble, link, open_file, resolved
from importing.layout import BLOCK_BYTES, Layout, in_blocks, stamp, taken
from importing.manifest import DIGITS_KEPT
from importing.progress import Progress
from importing.records import MOST_LINE_BYTES, Record, dumps, mentions, read_records

SCHEME = "s3://"
#: Where, beside a manifest that was rewritten, its files lie.
FETCHED, HERE = "fetched", "here"


class Address(NamedTuple):
    """`s3://bucket/key`."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


class Wanted(NamedTuple):
    """An object to fetch: how long it is, when it was last changed, and into which file it goes."""

    address: Address
    size: int
    modified: float
    target: Path


def is_address(location: str) -> bool:
    return location.lower().startswith(SCHEME)


def permitted(location: str) -> Address:
    """The address, if its bucket may be read. Raises Refused."""
    if not settings.IMPORT_S3_BUCKETS:
        advice = _("Imports from S3 are not set up. Ask the operator of the server to set IMPORT_S3_BUCKETS.")
        raise Refused(advice)
    bucket, key = location[len(SCHEME) :].partition("/")[::2]
    if bucket not in settings.IMPORT_S3_BUCKETS:
        known = ", ".join(settings.IMPORT_S3_BUCKETS)
        sentence = _("Imports cannot read the bucket “%(bucket)s”. They can read: %(known)s.")
        raise Refused(sentence % {"bucket": bucket[:100], "known": known})
    return Address(bucket, key)


def fetch(location: str, folder: Path, progress: Progress) -> Path:
    """The object as a file in `folder`, or `folder` with all that lies below the prefix.

    Raises Refused, and OSError where S3 does not answer.
    """
    address, client, layout = permitted(location), _client(), Layout(folder)
    if address.key and not address.key.endswith("/") and (found := _head(client, address)):
        progress.begin("Downloading from S3", 1)
        [wanted] = [_wanted(address, found, address.key.rsplit("/", 1)[-1], layout)]
        _fetch_all(client, [wanted], progress)
        return wanted.target
    prefix = f"{address.key.rstrip('/')}/" if address.key else ""
    listed = list(_listed(client, Address(address.bucket, prefix), layout))
    if not listed:
        raise Refused(f"There is nothing at {address}: no object of that name, and none below it.")
    progress.begin("Downloading from S3", len(listed))
    _fetch_all(client, listed, progress)
    return folder


def localised(manifest: Path, folder: Path, progress: Progress) -> Path:
    """The manifest itself, or, if paths in it are `s3://` addresses, a copy in `folder` beside what they name.

    The copy has a line for each line, so that what is said of a line is said of the manifest's. A path that leads
    nowhere stays as it is, and the import says so. The manifest lies in a resolved folder. Raises Refused,
    FileTrouble for a manifest that leads out of it, and OSError where S3 does not answer.
    """
    try:
        addresses = _addresses(manifest)
    except FileTrouble:
        raise
    except BadInput:  # it is damaged, which the import says
        return manifest
    if not addresses:
        return manifest
    client, layout = _client(), Layout(folder)
    progress.begin("Checking files in S3", len(addresses))
    wanted = {}
    for address in addresses:
        if found := _head(client, permitted(address)):
            name = f"{FETCHED}/{hashlib.sha256(address.encode()).hexdigest()}"
            wanted[address] = _wanted(permitted(address), found, name, layout)
        progress.advance()
    progress.begin("Downloading from S3", len(wanted))
    _fetch_all(client, wanted.values(), progress)
    places = {address: one.target.relative_to(folder).as_posix() for address, one in wanted.items()}
    copy = layout.place(manifest.name)
    lines = 0
    with copy.open("xb") as written:
        for record in _records(manifest):
            written.write(b"\n" * (record.number - 1 - lines))  # blank lines, so that numbers stay the same
            written.write(_rewritten(record, places, manifest.parent, layout))
            lines = record.number
    return copy


def _addresses(manifest: Path) -> dict[str, None]:
    """The `s3://` paths of its video lines, each once, in order."""
    found: dict[str, None] = {}
    if not mentions(resolved(manifest.parent, manifest.name), SCHEME.encode()):
        return found
    for record in _records(manifest):
        if (path := _path(record)) and is_address(path):
            found[path] = None
    return found


def _records(manifest: Path) -> Iterator[Record]:
    return read_records(resolved(manifest.parent, manifest.name), manifest.name, digits_kept=DIGITS_KEPT)


def _path(record: Record) -> str | None:
    """Return the path of a record that has no faults: others are not written anew, since that would change values."""
    path = record.content.get("path") if record.content and not record.faults else None
    return path if isinstance(path, str) else None


def _rewritten(record: Record, places: dict[str, str], root: Path, layout: Layout) -> bytes:
    path = _path(record)
    place = None
    if path is not None:
        place = places.get(path) if is_address(path) else _brought_here(path, root, layout)
    if place is not None and record.content is not None:
        return dumps({"file_name": path} | record.content | {"path": place})
    return (record.written or b" " * (MOST_LINE_BYTES + 1)) + b"\n"


def _brought_here(path: str, root: Path, layout: Layout) -> str | None:
    """A file beside the original manifest, linked to beside its copy; None where it cannot be imported anyway."""
    try:
        original = locate(root.resolve(), path)
    except FileTrouble:
        return None
    name = f"{HERE}/{hashlib.sha256(path.encode()).hexdigest()}"
    if not (layout.root / name).exists():
        link_or_copy(original, layout.place(name))
    return name


def link_or_copy(original: Path, target: Path) -> None:
    """The same file under another name, or where that cannot be a copy as old as the original."""
    try:
        link(original, target)
    except OSError:
        with open_file(original) as file, target.open("xb") as copy:
            for block in in_blocks(file):
                copy.write(block)
        stamp(target, original.stat().st_mtime)


def _wanted(address: Address, found: dict[str, Any], name: str, layout: Layout) -> Wanted:
    size = found["ContentLength"] if "ContentLength" in found else found["Size"]
    layout.take(size)
    return Wanted(address, size, found["LastModified"].timestamp(), layout.place(name))


def _listed(client: Any, prefix: Address, layout: Layout) -> Iterator[Wanted]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
    try:
        for page in pages:
            for found in page.get("Contents", []):
                name = found["Key"][len(prefix.key) :]
                if name and not name.endswith("/"):
                    yield _wanted(Address(prefix.bucket, found["Key"]), found, name, layout)
    except (BotoCoreError, ClientError) as error:
        raise _in_words(error, prefix) from error


def _head(client: Any, address: Address) -> dict[str, Any] | None:
    """What S3 says of the object; None if there is none. Raises Refused and OSError."""
    try:
        found: dict[str, Any] = client.head_object(Bucket=address.bucket, Key=address.key)
    except ClientError as error:
        if _status(error) == 404:
            return None
        raise _in_words(error, address) from error
    except BotoCoreError as error:
        raise _in_words(error, address) from error
    return found


def _fetch_all(client: Any, wanted: Iterable[Wanted], progress: Progress) -> None:
    """Fetches in threads. Raises the first trouble."""
    for _one, outcome in in_threads(lambda one: _fetch(client, one), wanted, progress):
        if isinstance(outcome, Exception):
            raise outcome


def _fetch(client: Any, wanted: Wanted) -> Refused | None:
    """Writes one object. Answers a Refused that trying again cannot mend, and raises OSError for what it may."""
    bucket, key = wanted.address
    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
        with wanted.target.open("xb") as file:
            left = wanted.size
            for block in body.iter_chunks(BLOCK_BYTES):
                left -= file.write(block)
                if left < 0:
                    break
    except FileExistsError:
        return taken(key)
    except (BotoCoreError, ClientError) as error:
        trouble = _in_words(error, wanted.address)
        if isinstance(trouble, OSError):
            raise trouble from error
        return trouble
    if left:
        return Refused(f"{wanted.address} changed while it was being fetched. Import again.")
    stamp(wanted.target, wanted.modified)
    return None


def _in_words(error: BotoCoreError | ClientError, address: Address) -> Refused | OSError:
    """What cannot pass by itself as Refused, anything else as OSError."""
    status = _status(error) if isinstance(error, ClientError) else 0
    if status == 404:
        return Refused(f"{address} is not there; look whether the bucket is called so.")
    if status in (401, 403):
        return Refused(f"{address} may not be read with the keys of this server. Tell who runs it.")
    return OSError(f"S3 does not answer as it should for {address}: {error}")


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _client() -> Any:
    """A client of S3 with our settings; without keys boto3 looks for them where it always does."""
    endpoint = settings.IMPORT_S3_ENDPOINT
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise Refused("IMPORT_S3_ENDPOINT must begin with http:// or https://. Tell who runs the server.")
    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=settings.IMPORT_S3_REGION or None,
        aws_access_key_id=settings.IMPORT_S3_ACCESS_KEY or None,
        aws_secret_access_key=settings.IMPORT_S3_SECRET_KEY or None,
        config=Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path" if endpoint else "auto"},  # few servers have a name for each bucket
        ),
    )
