"""Downloads of releases whose files are in a bucket: a real S3 server sends them, for a minute, and no longer."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.http import parse_header_parameters

from accounts.models import AuditEvent
from annotation.models import Annotation
from media import addresses
from releases import sending
from releases.models import ReleaseFile
from releases.tasks import look_after_releases
from releases.withdrawing import subject, withdraw
from tests.releases.releasing import accepted, answered, make

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture
def release(study, bucket):
    accepted(*answered(study, pairs=3))
    return make(study)


@pytest.fixture
def client(api, researcher):
    return api(researcher)


def page_of(release, path="annotations.jsonl"):
    return f"/api/v1/releases/{release.pk}/files/{path}"


def get(address, **headers):
    """Return status, headers and body of what the bucket responds."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, b""


def test_a_download_leads_to_the_bucket_for_a_minute_and_has_its_name_and_digest(release, client, researcher):
    response = client.get(page_of(release))
    assert (response.status_code, response["Cache-Control"]) == (302, "no-store")
    status, headers, content = get(response["Location"])
    row = ReleaseFile.objects.get(release=release, path="annotations.jsonl")
    assert (status, hashlib.sha256(content).hexdigest()) == (200, row.sha256)
    assert response["X-Content-SHA256"] == row.sha256
    assert int(headers["Content-Length"]) == row.byte_size
    _kind, said = parse_header_parameters(headers["Content-Disposition"])
    assert said["filename"] == f"{release.study.slug}-1-annotations.jsonl"
    assert headers["Content-Type"].startswith("application/x-ndjson")
    assert parse_qs(urlsplit(response["Location"]).query)["X-Amz-Expires"] == ["60"]
    event = AuditEvent.objects.get(action="release.downloaded")
    assert (event.actor, event.after["path"]) == (researcher, "annotations.jsonl")


def test_a_broken_download_is_shorter_than_it_says_and_can_be_continued(release, client):
    address = client.get(page_of(release))["Location"]
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.netloc, timeout=20)
    connection.request("GET", f"{where.path}?{where.query}")
    response = connection.getresponse()
    first = response.read(100)
    connection.close()
    row = ReleaseFile.objects.get(release=release, path="annotations.jsonl")
    assert len(first) < int(response.headers["Content-Length"]) == row.byte_size
    status, headers, rest = get(client.get(page_of(release))["Location"], Range="bytes=100-")
    assert (status, headers["Content-Range"]) == (206, f"bytes 100-{row.byte_size - 1}/{row.byte_size}")
    assert hashlib.sha256(first + rest).hexdigest() == row.sha256


def test_an_address_ends_after_a_minute_and_is_for_one_file(release, client, researcher):
    row = ReleaseFile.objects.get(release=release, path="pairs.jsonl")
    then = time.time() - sending.ADDRESS_LIVES_S - 5
    late = addresses.download_url(row.stored_name, researcher.pk, {}, lives_s=sending.ADDRESS_LIVES_S, now=then)
    assert get(late)[0] == 403
    address = client.get(page_of(release))["Location"]
    assert get(address.replace("annotations.jsonl", "pairs.jsonl"))[0] == 403


def test_nothing_of_a_withdrawn_release_can_be_had(release, study, client):
    """No address is given any more, and those that were given end with the sweep, which deletes the files."""
    address = client.get(page_of(release))["Location"]
    assert get(address)[0] == 200
    key = str(Annotation.objects.filter(study=study).earliest("pk").pk)
    withdraw(study, subject(study, "answer", key), reason="Asked", actor=None)
    response = client.get(page_of(release))
    assert (response.status_code, response.json()["code"]) == (410, "withdrawn")
    assert "Location" not in response.headers
    look_after_releases()
    assert get(address)[0] == 404


def test_a_head_request_names_the_length_and_the_digest_without_an_address(release, client):
    response = client.head(page_of(release))
    row = ReleaseFile.objects.get(release=release, path="annotations.jsonl")
    assert (response.status_code, int(response["Content-Length"])) == (200, row.byte_size)
    assert "Repr-Digest" in response.headers
