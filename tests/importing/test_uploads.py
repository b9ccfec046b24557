"""Uploads: which files and pieces are accepted, and that bytes are right after kills and repeated pieces."""

import base64
import hashlib
import http.client
import os
import socket
import threading
from contextlib import closing, suppress
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.urls import reverse

from accounts.tokens import issue_token
from diptych.refusals import Refused
from importing import uploads
from importing.models import Import, Upload
from tests.web import free_port, serve, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PIECE = "application/offset+octet-stream"


@pytest.fixture
def job(study: Any) -> Import:
    return Import.objects.create(study=study, source="upload", state="collecting")


@pytest.fixture
def client(api: Any, researcher: Any) -> Any:
    return api(researcher)


def collection(job: Import) -> str:
    return reverse("api:uploads", args=[job.public_id])


def announced(client: Any, job: Import, name: str = "p1/a.mp4", length: Any = 10) -> Any:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length)}
    headers["Upload-Metadata"] = f"filename {base64.b64encode(name.encode()).decode()},kind dmlkZW8="
    return client.post(collection(job), headers=headers)


def sent(client: Any, address: str, offset: int, content: bytes, **headers: str) -> Any:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)} | headers
    return client.generic("PATCH", address, content, content_type=PIECE, headers=headers)


def whole(upload: Upload, tmp_path: Any) -> bytes:
    uploads.assemble(Upload.objects.select_related("import_job").get(pk=upload.pk), tmp_path / "whole")
    return (tmp_path / "whole").read_bytes()


def test_a_file_comes_in_pieces_and_is_put_together(client, job, tmp_path):
    answer = announced(client, job)
    assert (answer.status_code, answer["Upload-Offset"], answer["Tus-Resumable"]) == (201, "0", "1.0.0")
    address = answer["Location"]
    first = sent(client, address, 0, b"hello ")
    assert (first.status_code, first["Upload-Offset"]) == (204, "6")
    asked = client.head(address)
    assert (asked["Upload-Offset"], asked["Upload-Length"], asked["Cache-Control"]) == ("6", "10", "no-store")
    assert sent(client, address, 6, b"you!")["Upload-Offset"] == "10"
    upload = Upload.objects.get()
    assert (upload.path, upload.byte_size, upload.received) == ("p1/a.mp4", 10, 10)
    assert whole(upload, tmp_path) == b"hello you!"
    assert uploads.collected(job) == (1, 1, 10, 10)
    assert uploads.collected(job).is_complete


def test_the_server_says_what_it_speaks_and_takes(client, job, settings):
    settings.UPLOAD_MOST_BYTES = 1000
    answer = client.options(collection(job))
    assert answer.status_code == 204
    assert {name: answer[name] for name in ("Tus-Version", "Tus-Extension", "Tus-Max-Size")} == {
        "Tus-Version": "1.0.0",
        "Tus-Extension": "creation,termination",
        "Tus-Max-Size": "1000",
    }
    other = client.post(collection(job), headers={"Tus-Resumable": "0.2.2"})
    assert (other.status_code, other["Tus-Version"]) == (412, "1.0.0")


def test_announced_twice_it_is_there_once_and_goes_on_from_where_it_stands(client, job):
    address = announced(client, job)["Location"]
    sent(client, address, 0, b"abc")
    again = announced(client, job)
    assert (again.status_code, again["Location"], again["Upload-Offset"]) == (200, address, "3")
    other = announced(client, job, length=11)
    assert (other.status_code, other.json()["code"]) == (409, "another_length")
    assert Upload.objects.count() == 1


def test_a_piece_that_does_not_begin_where_the_file_ends_changes_nothing(client, job, tmp_path):
    address = announced(client, job, length=6)["Location"]
    sent(client, address, 0, b"abc")
    for offset in (0, 2, 4):
        answer = sent(client, address, offset, b"xyz")
        assert (answer.status_code, answer.json()["code"], answer["Upload-Offset"]) == (409, "offset", "3")
    sent(client, address, 3, b"def")
    assert whole(Upload.objects.get(), tmp_path) == b"abcdef"


def test_more_than_was_announced_is_not_taken(client, job):
    address = announced(client, job, length=4)["Location"]
    answer = sent(client, address, 0, b"abcde")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_much")
    assert Upload.objects.get().received == 0
    assert not default_storage.exists(f"{uploads.upload_name(Upload.objects.get())}/0")


def test_limits_are_named(client, job, settings):
    settings.UPLOAD_MOST_BYTES, settings.UPLOAD_MOST_FILES = 2_000_000, 1
    long = announced(client, job, length=2_000_001)
    assert (long.status_code, long.json()["detail"]) == (413, "p1/a.mp4 is longer than 2 MB.")
    announced(client, job)
    assert announced(client, job).status_code == 200  # it is there already
    another = announced(client, job, name="p1/b.mp4")
    assert (another.status_code, another.json()["code"]) == (409, "too_many")


def test_one_request_may_bring_many_pieces(client, job, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE_BYTES", 4)
    address = announced(client, job)["Location"]
    assert sent(client, address, 0, b"0123456789")["Upload-Offset"] == "10"
    assert whole(Upload.objects.get(), tmp_path) == b"0123456789"
    name = uploads.upload_name(Upload.objects.get())
    assert sorted(default_storage.listdir(name)[1]) == ["0", "4", "8"]


@pytest.mark.parametrize(
    "name",
    [
        *("", "/etc/passwd", "../up.mp4", "p1/../../up.mp4", "p1//a.mp4", "./a.mp4", "p1/", "C:/a.mp4", "..\\a.mp4"),
        *("a\0b.mp4", "a\nb.mp4", "é" * 501, "x" * 256, "/".join("d" * 33)),
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(client, job, name):
    answer = announced(client, job, name=name)
    assert (answer.status_code, Upload.objects.count()) == (400, 0)
    assert "cannot be used" in answer.json()["detail"]
    assert answer.json()["code"] == "name"


def test_other_names_are_kept_as_they_are(client, job):
    names = ["提示 1/视频.mp4", "p1/'; DROP TABLE x; --.mp4", "a" * 255, ".hidden", "..."]
    for name in names:
        assert announced(client, job, name=name).status_code == 201
    listed = client.get(collection(job)).json()
    assert sorted(file["path"] for file in listed) == sorted(names)
    assert set(listed[0]) == {"id", "path", "byte_size", "received"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "-1", "Upload-Metadata": "filename YQ=="},
        {"Upload-Length": "1e3", "Upload-Metadata": "filename YQ=="},
        {"Upload-Length": "9" * 30, "Upload-Metadata": "filename YQ=="},
        {"Upload-Length": "1"},
        {"Upload-Length": "1", "Upload-Metadata": "filename Y*=="},
        {"Upload-Length": "1", "Upload-Metadata": "filename /w=="},
    ],
)
def test_an_announcement_that_cannot_be_read_says_why(client, job, headers):
    answer = client.post(collection(job), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_a_body_of_another_type_is_refused(client, job):
    address = announced(client, job)["Location"]
    answer = client.generic("PATCH", address, b"abc", content_type="video/mp4", headers={"Upload-Offset": "0"})
    assert answer.status_code == 415


@pytest.mark.parametrize("state", ["waiting", "cancelled", "done"])
def test_an_import_that_does_not_collect_takes_nothing(client, job, state):
    address = announced(client, job)["Location"]
    finished = {} if state == "waiting" else {"finished_at": job.created_at}
    Import.objects.filter(pk=job.pk).update(state=state, **finished)
    answers = [announced(client, job, name="p1/b.mp4"), sent(client, address, 0, b"abc"), client.delete(address)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(410, "not_collecting")] * 3
    assert Upload.objects.get().received == 0


def test_a_removed_file_is_gone_with_its_pieces(client, job):
    address = announced(client, job)["Location"]
    sent(client, address, 0, b"abc")
    name = uploads.upload_name(Upload.objects.get())
    assert default_storage.exists(f"{name}/0")
    assert client.delete(address).status_code == 204
    assert not default_storage.exists(name)
    assert client.head(address).status_code == 404


def test_a_token_must_be_for_managing(api, job, researcher):
    reading, managing = api(None), api(None)
    reading.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(researcher, scopes=['read'])}")
    managing.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(researcher, scopes=['manage'])}")
    assert announced(reading, job).status_code == 403
    assert announced(managing, job).status_code == 201


@pytest.mark.long
def test_of_many_who_send_the_same_piece_one_writes(job, tmp_path):
    """All send different bytes from the same offset at the same time, twenty times."""
    upload, _ = uploads.create(job, "a.mp4", 20)
    barrier, refused = threading.Barrier(4), []

    def send(letter: bytes) -> None:
        offset = 0
        try:
            while offset < 20:
                barrier.wait(20)
                try:
                    uploads.receive(upload, offset, ContentFile(letter), 1)
                except uploads.WrongOffset as wrong:
                    refused.append(wrong.received)
                offset += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refused) == 60
    written = whole(upload, tmp_path)
    assert len(written) == 20
    assert set(written) <= set(b"abcd")


def test_a_piece_whose_count_was_not_committed_is_replaced(job, tmp_path):
    """The process is killed between the bytes and the row. Then fewer bytes come, then more."""
    upload, _ = uploads.create(job, "a.mp4", 6)
    with transaction.atomic():
        uploads.receive(upload, 0, ContentFile(b"killed"), 6)
        transaction.set_rollback(True)
    assert default_storage.exists(f"{uploads.upload_name(upload)}/0")
    assert uploads.receive(upload, 0, ContentFile(b"ab"), 2) == 2
    assert uploads.receive(upload, 2, ContentFile(b"cdef"), 4) == 6
    assert whole(upload, tmp_path) == b"abcdef"


def test_a_piece_that_storage_did_not_take_is_not_counted(client, job, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    address = announced(client, job)["Location"]
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "imports").write_bytes(b"a file where a folder must be")
    client.raise_request_exception = False
    assert sent(client, address, 0, b"abc").status_code == 500
    assert Upload.objects.get().received == 0
    (tmp_path / "media" / "imports").unlink()
    assert sent(client, address, 0, b"abc").status_code == 204


def test_a_full_disk_is_said_so(client, job, monkeypatch):
    """/dev/full replaces the folder for new files, so no byte can be written."""
    address = announced(client, job)["Location"]
    monkeypatch.setattr(
        "diptych.storage._force_to_disk", lambda path: os.write(os.open("/dev/full", os.O_WRONLY), b"x")
    )
    answer = sent(client, address, 0, b"abc")
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert Upload.objects.get().received == 0


def test_a_file_with_a_piece_missing_is_not_put_together(job, tmp_path):
    upload, _ = uploads.create(job, "a.mp4", 6)
    uploads.receive(upload, 0, ContentFile(b"abc"), 3)
    uploads.receive(upload, 3, ContentFile(b"def"), 3)
    default_storage.delete(f"{uploads.upload_name(upload)}/3")
    with pytest.raises(Refused, match="3 of 6 bytes"):
        whole(upload, tmp_path)


@pytest.mark.long
def test_an_empty_file_is_whole_at_once(client, job, tmp_path):
    announced(client, job, length=0)
    assert uploads.collected(job).is_complete
    assert whole(Upload.objects.get(), tmp_path) == b""


def test_discarding_deletes_every_piece_and_may_be_repeated(job):
    for name in ("a", "b"):
        upload, _ = uploads.create(job, name, 3)
        uploads.receive(upload, 0, ContentFile(b"abc"), 3)
    uploads.discard(job)
    uploads.discard(job)
    assert not any(default_storage.exists(f"{uploads.upload_name(upload)}/0") for upload in Upload.objects.all())


@pytest.mark.long
def test_in_a_bucket_pieces_are_replaced_put_together_and_discarded_alike(bucket, job, tmp_path):
    upload, _ = uploads.create(job, "a.mp4", 6)
    with transaction.atomic():
        uploads.receive(upload, 0, ContentFile(b"killed"), 6)
        transaction.set_rollback(True)
    assert uploads.receive(upload, 0, ContentFile(b"ab"), 2) == 2
    assert uploads.receive(upload, 2, ContentFile(b"cdef"), 4) == 6
    assert whole(upload, tmp_path) == b"abcdef"
    assert len(default_storage.listdir(uploads.upload_name(upload))[1]) == 2
    uploads.discard(job)
    assert default_storage.listdir(uploads.upload_name(upload))[1] == []
    with pytest.raises(Refused, match="0 of 6 bytes"):
        whole(upload, tmp_path)


def test_of_a_broken_connection_what_came_is_kept(server, job, researcher, tmp_path):
    """Over a real socket, cut in the middle of a piece."""
    upload, _ = uploads.create(job, "a.mp4", 3_000_000)
    content = os.urandom(3_000_000)
    token = issue_token(researcher, scopes=["manage"])
    address = reverse("api:upload", args=[job.public_id, upload.public_id])

    def begin(offset: int) -> socket.socket:
        where = urlsplit(server)
        head = f"PATCH {address} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Token {token}\r\n"
        head += f"Content-Type: {PIECE}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
        head += f"Content-Length: {len(content) - offset}\r\n\r\n"
        connected = socket.create_connection((where.hostname, where.port))
        connected.sendall(head.encode())
        return connected

    def received() -> int:
        return Upload.objects.get().received

    with begin(0) as cut:
        cut.sendall(content[:1_500_000])
    wait_for(received, "nothing of the broken piece was kept")
    there = received()
    assert 0 < there <= 1_500_000
    with begin(there) as rest:
        rest.sendall(content[there:])
        assert rest.recv(1000).startswith(b"HTTP/1.1 204")
    assert hashlib.sha256(whole(upload, tmp_path)).digest() == hashlib.sha256(content).digest()


@pytest.mark.long
def test_a_server_killed_again_and_again_neither_loses_nor_doubles_a_byte(job, researcher, tmp_path):
    """The web server is killed at any moment of a piece. The client asks for the offset and continues."""
    content, dice = os.urandom(8_000_000), Random(1)
    upload, _ = uploads.create(job, "a.mp4", len(content))
    token, port = issue_token(researcher, scopes=["manage"]), free_port()
    headers = {"Authorization": f"Token {token}", "Content-Type": PIECE}

    def send(offset: int) -> None:
        sending = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with suppress(OSError, http.client.HTTPException), closing(sending):
            address = reverse("api:upload", args=[job.public_id, upload.public_id])
            piece = content[offset : offset + 1_000_000]
            sending.request("PATCH", address, piece, headers | {"Upload-Offset": str(offset)})
            sending.getresponse().read()

    running, kills = serve(port, grace=0), 0
    try:
        while (offset := Upload.objects.get().received) < len(content):
            killer = threading.Timer(dice.uniform(0, 0.15), running.stop) if kills < 4 else None
            if killer:
                killer.start()
            send(offset)
            if killer:
                killer.join()
                running, kills = serve(port, grace=0), kills + 1
    finally:
        running.stop()
    assert kills == 4
    assert whole(upload, tmp_path) == content
