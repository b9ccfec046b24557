"""Download material from S3: one object, all objects below a prefix, or those that a manifest's `s3://` paths name.

Only buckets in IMPORT_S3_BUCKETS are read. Otherwise everybody who can import could read whatever the server's
credentials can.
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
from django.utils.translation import gettext_noop as _

from diptych.refusals import BadInput, Refused
from sources.files import in_threads, locate
from sources.inside import FileTrouble, link, open_file, resolved
from sources.layout import BLOCK_BYTES, Layout, in_blocks, name_taken, stamp
from sources.manifest import DIGITS_KEPT
from sources.progress import Progress
from sources.records import MOST_LINE_BYTES, Record, dumps, mentions, read_records
from sources.sentences import Sentence

SCHEME = "s3://"
#: The folders of a rewritten manifest's files: downloaded ones, and links to local ones.
FETCHED, HERE = "fetched", "here"


class Address(NamedTuple):
    """`s3://bucket/key`."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


class Wanted(NamedTuple):
    """An object to download: its size in bytes, when it was last changed, and its target file."""

    address: Address
    size: int
    modified: float
    target: Path


def is_address(location: str) -> bool:
    """Return whether a location is an address in S3."""
    return location.lower().startswith(SCHEME)


def permitted(location: str) -> Address:
    """Return the address if imports can read its bucket. Raises Refused."""
    if not settings.IMPORT_S3_BUCKETS:
        template = _("Imports from S3 are not set up. Ask the operator of this installation to set IMPORT_S3_BUCKETS.")
        raise Refused(Sentence(template))
    bucket, key = location[len(SCHEME) :].partition("/")[::2]
    if bucket not in settings.IMPORT_S3_BUCKETS:
        known = ", ".join(settings.IMPORT_S3_BUCKETS)
        template = _("Imports cannot read the bucket “%(bucket)s”. They can read: %(known)s.")
        raise Refused(Sentence(template, bucket=bucket[:100], known=known))
    return Address(bucket, key)


def fetch(location: str, folder: Path, progress: Progress) -> Path:
    """Download an object into `folder`, or all objects below a prefix. Return the file or the folder.

    Raises Refused, and OSError if S3 does not respond.
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
        template = _("There is nothing at %(address)s: no object has this name, and none is below it.")
        raise Refused(Sentence(template, address=str(address)))
    progress.begin("Downloading from S3", len(listed))
    _fetch_all(client, listed, progress)
    return folder


def localised(manifest: Path, folder: Path, progress: Progress) -> Path:
    """Return the manifest, or if it has `s3://` paths, a copy in `folder` next to the downloaded files.

    The copy has the same line numbers. A path that leads nowhere is not changed, and the import reports it. The
    manifest is in a resolved folder. Raises Refused, FileTrouble for a manifest that leads out of the folder, and
    OSError if S3 does not respond.
    """
    try:
        addresses = _addresses(manifest)
    except FileTrouble:
        raise
    except BadInput:  # it is damaged, which the import reports
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
            written.write(b"\n" * (record.number - 1 - lines))  # blank lines keep the line numbers
            written.write(_rewritten(record, places, manifest.parent, layout))
            lines = record.number
    return copy


def _addresses(manifest: Path) -> dict[str, None]:
    """Return the `s3://` paths of the manifest's video lines, each once, in order."""
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
    """Return the path of a record without faults. Rewriting others would change their values."""
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
    """Link a local file next to the copy of the manifest. Return its new path, or None if it cannot be imported."""
    try:
        original = locate(root.resolve(), path)
    except FileTrouble:
        return None
    name = f"{HERE}/{hashlib.sha256(path.encode()).hexdigest()}"
    if not (layout.root / name).exists():
        link_or_copy(original, layout.place(name))
    return name


def link_or_copy(original: Path, target: Path) -> None:
    """Give a file another name. If that is impossible, copy it with its time."""
    try:
        link(original, target)
    except OSError:
        with open_file(original) as file, target.open("xb") as copy:
            for block in in_blocks(file):
                copy.write(block)
        stamp(target, original.stat().st_mtime)


def _wanted(address: Address, found: dict[str, Any], name: str, layout: Layout) -> Wanted:
    size = found["ContentLength"] if "ContentLength" in found else found["Size"]
    layout.reserve(size)
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
    """Return what S3 says about the object, or None if there is none. Raises Refused and OSError."""
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
    """Download in threads. Raises the first error."""
    for _one, outcome in in_threads(lambda one: _fetch(client, one), wanted, progress):
        if isinstance(outcome, Exception):
            raise outcome


def _fetch(client: Any, wanted: Wanted) -> Refused | None:
    """Write one object. Return a Refused if trying again cannot help. Raises OSError if it can."""
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
        return name_taken(key)
    except (BotoCoreError, ClientError) as error:
        trouble = _in_words(error, wanted.address)
        if isinstance(trouble, OSError):
            raise trouble from error
        return trouble
    if left:
        template = _("%(address)s changed while it was being downloaded. Import again.")
        return Refused(Sentence(template, address=str(wanted.address)))
    stamp(wanted.target, wanted.modified)
    return None


def _in_words(error: BotoCoreError | ClientError, address: Address) -> Refused | OSError:
    """Return a Refused for an error that stays, and an OSError for one that can pass."""
    status = _status(error) if isinstance(error, ClientError) else 0
    if status == 404:
        return Refused(Sentence(_("%(address)s does not exist. Check the bucket's name."), address=str(address)))
    if status in (401, 403):
        template = _("The keys of this server cannot read %(address)s. Tell the operator of this installation.")
        return Refused(Sentence(template, address=str(address)))
    return OSError(f"S3 does not respond correctly for {address}: {error}")


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _client() -> Any:
    """Return an S3 client with our settings. Without keys, boto3 looks for them in its usual places."""
    endpoint = settings.IMPORT_S3_ENDPOINT
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        template = _("IMPORT_S3_ENDPOINT must begin with http:// or https://. Tell the operator of this installation.")
        raise Refused(Sentence(template))
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
            # Few other servers have a host name for each bucket.
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )
