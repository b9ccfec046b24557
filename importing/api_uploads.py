"""Uploads into an import with tus 1.0 (https://tus.io/protocols/resumable-upload): core, creation, termination.

Each view parses the request, calls one function of `importing.uploads`, and responds. `Upload-Metadata` names the file:
`relativePath` is its path with all folders, as Uppy sends it, and `filename` (or `name`) is its name or its path.

- A path belongs to one file. Announced again with the same length, it is the same upload with the bytes so far.
- A bare `filename` can belong to files in different folders, so each announcement is a new file.
"""

import base64
import binascii
import errno
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any, ClassVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.database.natural import Natural
from diptych.refusals import Refused
from importing import uploads
from importing.models import Import, Upload
from importing.permissions import import_for

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
#: The largest whole number that JSON and JavaScript keep exactly.
LARGEST_NUMBER = 2**53
BLOCK_BYTES = 256 * 1024
#: The status if the client uses another version of tus.
OTHER_VERSION = 412


def refused(method: str, *codes: str) -> dict[Any, tuple[str, ...]]:
    """Return the refusals of a method with these codes, by method and status."""
    return {
        (method, status): tuple(code for code in codes if uploads.STATUS[code] == status)
        for status in map(uploads.STATUS.get, codes)
    }


def header(name: str, *, required: bool = True) -> OpenApiParameter:
    """Return the description of a request header for the OpenAPI document."""
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, required=required)


class TusView(SignedInView):
    """Common parts of both views. Every method needs the permission to import into the study."""

    refusals: ClassVar[dict[Any, tuple[str, ...]]] = {412: ("version",)}
    job: Import

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Use the method in `X-HTTP-Method-Override`, as tus requires: clients in Java cannot send PATCH."""
        override = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and override in ("PATCH", "DELETE", "HEAD"):
            request.method = override
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.job = import_for(request, kwargs["import_id"])
        if request.headers.get("Tus-Resumable", VERSION) != VERSION:
            raise Refused(
                f"This server uses tus {VERSION}. Send Tus-Resumable: {VERSION}.", "version", status=OTHER_VERSION
            )

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, uploads.WrongOffset):
            response["Upload-Offset"] = str(exc.received)
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = VERSION
        if response.status_code == OTHER_VERSION:
            response["Tus-Version"] = VERSION
        return response

    def number(self, name: str) -> int:
        """Return the number of bytes in a header. Raises ParseError."""
        text = self.request.headers.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= LARGEST_NUMBER):
            raise ParseError(_("The header %(name)s must be a number of bytes.") % {"name": name})
        return int(text)


class UploadShape(serializers.Serializer[Any]):
    """One file of an import."""

    id = serializers.CharField(source="public_id")
    path = serializers.CharField()
    byte_size = serializers.IntegerField()
    received = serializers.IntegerField(help_text="Bytes that have arrived. A complete file has `byte_size` of them")


class UploadsView(TusView):
    """`GET` and `POST imports/{import_id}/uploads/`."""

    scopes = {"GET": "manage", "POST": "manage"}
    refusals = TusView.refusals | refused("POST", "name", "another_length", "too_many", "not_collecting", "too_large")

    @extend_schema(responses=UploadShape(many=True))
    def get(self, request: Request, import_id: str) -> Response:
        """List the files of an import.

        They come by name.
        """
        columns = ("public_id", "path", "byte_size", "received")
        rows = Upload.objects.filter(import_job=self.job).order_by(Natural("path"), "path").values_list(*columns)
        return Response([dict(zip(("id", *columns[1:]), row, strict=True)) for row in rows.iterator()])

    @extend_schema(
        request=None, responses={201: None, 200: None}, parameters=[header("Upload-Length"), header("Upload-Metadata")]
    )
    def post(self, request: Request, import_id: str) -> Response:
        """Announce a file of an import.

        The status is 201, or 200 if its path was announced before. Send its bytes to `Location`.
        """
        name, is_path = self.announced_name()
        upload, is_new = uploads.create(self.job, name, self.number("Upload-Length"), is_path=is_path)
        address = reverse("api:upload", kwargs={"import_id": self.job.public_id, "upload_id": upload.public_id})
        headers = {"Location": address, "Upload-Offset": str(upload.received)}
        return Response(status=201 if is_new else 200, headers=headers)

    @extend_schema(exclude=True)
    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """Return the versions, extensions and sizes that this server supports."""
        headers = {
            "Tus-Version": VERSION,
            "Tus-Extension": "creation,termination",
            "Tus-Max-Size": str(settings.UPLOAD_MOST_BYTES),
        }
        return Response(status=204, headers=headers)

    def announced_name(self) -> tuple[str, bool]:
        """Return the file's path from the metadata, and whether it has all folders. Raises ParseError."""
        found = metadata(self.request.headers.get("Upload-Metadata", ""))
        name = found.get("filename", found.get("name"))
        path = found.get("relativePath", "")
        if path in NO_PATH:
            if name is None:
                raise ParseError(
                    _("The header Upload-Metadata must have “filename” and the file's name, UTF-8 in base64.")
                )
            return name, "/" in name
        return with_file_name(path.lstrip("/"), name or ""), True


#: Values of `relativePath` for a file that was chosen without its folder.
NO_PATH = ("", "null", "undefined")


def metadata(header: str) -> dict[str, str]:
    """Return the keys and decoded values of the header `Upload-Metadata`. Raises ParseError."""
    found = {}
    for pair in header.split(","):
        key, _space, value = pair.strip().partition(" ")
        if key not in ("filename", "name", "relativePath"):
            continue
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ParseError(
                _("“%(key)s” in the header Upload-Metadata is not UTF-8 in base64.") % {"key": key}
            ) from None
    return found


def with_file_name(path: str, name: str) -> str:
    """Return a file's path with its name: some clients send only the folder as path."""
    last = path.rpartition("/")[2]
    if not name or "/" in name or last == name:
        return path
    if last and PurePosixPath(last).suffix == PurePosixPath(name).suffix:
        return path
    return f"{path.rstrip('/')}/{name}"


class UploadView(TusView):
    """`HEAD`, `PATCH` and `DELETE imports/{import_id}/uploads/{upload_id}/`."""

    scopes = {"HEAD": "manage", "PATCH": "manage", "DELETE": "manage"}
    refusals = (
        TusView.refusals
        | refused("PATCH", "offset", "removed", "not_collecting", "too_much", "storage_full")
        | refused("DELETE", "not_collecting")
    )

    @property
    def upload(self) -> Upload:
        """Return the file of the address. Raises Http404."""
        found = Upload.objects.filter(import_job=self.job, public_id=self.kwargs["upload_id"]).first()
        if found is None:
            raise Http404(_("There is no such file in this import."))
        found.import_job = self.job
        return found

    @extend_schema(exclude=True)
    def head(self, request: Request, import_id: str, upload_id: str) -> Response:
        """Ask how much of a file has arrived.

        The header `Upload-Offset` has the number of bytes.
        """
        upload = self.upload
        headers = {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.byte_size)}
        return Response(status=200, headers=headers)

    @extend_schema(request={PIECE: OpenApiTypes.BINARY}, responses={204: None}, parameters=[header("Upload-Offset")])
    def patch(self, request: Request, import_id: str, upload_id: str) -> Response:
        """Send bytes of a file.

        They begin at `Upload-Offset`, which must be the current end of the file.

        Otherwise it responds 409 with the right offset. One request can bring the whole file. If a request breaks off,
        the bytes that arrived are kept.
        """
        upload, offset, size = self.upload, self.number("Upload-Offset"), self.number("Content-Length")
        if request.content_type != PIECE:
            raise UnsupportedMediaType(request.content_type)
        if offset != upload.received:
            raise uploads.WrongOffset(upload.received)  # before the bytes are read; `receive` checks it again
        uploads.refuse_too_much(upload, offset + size)
        end = offset + size
        while True:
            wanted = min(end - offset, uploads.PIECE_BYTES)
            with SpooledTemporaryFile(max_size=BLOCK_BYTES) as piece:
                received = self.read_body(wanted, piece)
                offset = self.store(upload, offset, piece, received)
            if received < wanted or offset == end:
                return Response(status=204, headers={"Upload-Offset": str(offset)})

    def store(self, upload: Upload, offset: int, piece: IO[bytes], size: int) -> int:
        """Store one piece. Return how many bytes of the file have arrived. Raises Refused and OSError."""
        try:
            return uploads.receive(upload, offset, piece, size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            sentence = _("The server has no space left for this file. Tell the operator of this installation.")
            raise uploads.refused(sentence, "storage_full") from error

    @extend_schema(responses={204: None})
    def delete(self, request: Request, import_id: str, upload_id: str) -> Response:
        """Remove a file from an import."""
        uploads.remove(self.upload)
        return Response(status=204)

    def read_body(self, size: int, piece: IO[bytes]) -> int:
        """Read the body block by block. Return how many bytes arrived, also if the connection broke."""
        received = 0
        try:
            while block := self.request._request.read(min(BLOCK_BYTES, size - received)):
                received += piece.write(block)
        except OSError:  # UnreadablePostError
            piece.truncate(received)
        return received
