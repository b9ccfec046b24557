"""Media in a bucket: a real S3 server decides who can read a file, and for how long."""

import re
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from media import addresses, names, transcoding
from media.models import Asset
from media.originals import Checked, ContentTrouble, Fingerprint
from media.presigning import Bucket
from safety import quarantine_files
from tests import factories

NOW = 1_800_000_000.0
WINDOW_S = 3600
PERSON = 7


def get(address, **headers):
    """Return status, headers and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, b""


def stored(asset, content=b"0123456789"):
    default_storage.save(names.playback(asset.public_id), ContentFile(content))
    return asset


def address(asset, person=PERSON, now=None):
    return addresses.playback_url(asset.public_id, person, now, WINDOW_S)


@pytest.mark.long
def test_an_address_is_what_aws_own_library_would_sign_at_the_windows_beginning(monkeypatch):
    ours = Bucket("https://bucket.example.org/below", "eu-central-1", "key", "secret")
    signed = ours.url("renditions/ab/a b~c.mp4", PERSON, int(NOW), 7200)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: datetime.fromtimestamp(NOW, UTC))
    request = AWSRequest(
        "GET", "https://bucket.example.org/below/renditions/ab/a%20b~c.mp4", params={"x-diptych-person": PERSON}
    )
    botocore.auth.S3SigV4QueryAuth(Credentials("key", "secret"), "s3", "eu-central-1", expires=7200).add_auth(request)
    assert parse_qs(urlsplit(signed).query) == parse_qs(urlsplit(request.url).query)


@pytest.mark.long
class TestAddresses:
    pytestmark = pytest.mark.django_db

    def test_the_file_comes_whole_and_in_parts_with_its_type_and_for_this_browser_alone(self, bucket):
        asset = stored(factories.asset())
        status, headers, body = get(address(asset))
        assert (status, body, headers["Content-Type"]) == (200, b"0123456789", "video/mp4")
        assert headers["Cache-Control"].startswith("private")
        assert headers["ETag"]
        assert get(address(asset), Range="bytes=2-4")[::2] == (206, b"234")

    def test_one_person_has_one_address_within_a_window(self, bucket):
        asset = factories.asset()
        begins = NOW // WINDOW_S * WINDOW_S
        assert len({address(asset, now=begins + second) for second in (0, 1800, 3599)}) == 1
        assert address(asset, now=begins) != address(asset, now=begins + WINDOW_S)
        assert address(asset, now=begins) != address(asset, PERSON + 1, now=begins)

    def test_it_ends_when_its_time_is_over(self, bucket):
        asset = stored(factories.asset())
        assert get(address(asset, now=time.time() - 2 * WINDOW_S))[0] == 403

    @pytest.mark.parametrize("change", [
        lambda url: url.split("?")[0],
        lambda url: url.replace(f"person={PERSON}", f"person={PERSON + 1}"),
        lambda url: re.sub(r"X-Amz-Expires=\d+", "X-Amz-Expires=604800", url),
        lambda url: url.replace("playback.mp4", "poster.jpg"),
    ])  # fmt: skip
    def test_nothing_in_it_can_be_changed(self, bucket, change):
        asset = stored(factories.asset())
        default_storage.save(names.poster(asset.public_id), ContentFile(b"poster"))
        assert get(change(address(asset)))[0] == 403

    def test_the_bucket_lists_nothing_and_what_is_gone_is_not_there(self, bucket):
        asset = stored(factories.asset())
        assert get(bucket.bucket_address)[0] == 403
        default_storage.delete(names.playback(asset.public_id))
        assert get(address(asset))[0] == 404

    def test_what_was_set_apart_is_not_there_at_once_and_comes_back(self, bucket):
        asset = stored(factories.asset())
        default_storage.save(asset.original, ContentFile(b"original"))
        quarantine_files.set_apart(asset)
        assert get(address(asset))[0] == 404
        quarantine_files.set_apart(asset)
        quarantine_files.bring_back(asset)
        assert get(address(asset))[::2] == (200, b"0123456789")


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_worker_prepares_a_video_in_the_bucket(bucket, renditions):
    original = renditions["short"].playback
    asset = factories.asset(state="waiting", duration_s=None, fps=None)
    with original.open("rb") as file:
        default_storage.save(asset.original, ContentFile(file.read()))
    transcoding.process(transcoding.claim())
    asset = Asset.objects.get()
    assert (asset.state, asset.reason) == ("done", "")
    assert get(address(asset))[2][4:8] == b"ftyp"
    assert get(addresses.poster_url(asset.public_id, PERSON, None, WINDOW_S))[1]["Content-Type"] == "image/jpeg"


@pytest.mark.long
def test_a_file_that_changes_on_its_way_is_not_stored(bucket):
    content = Checked(ContentFile(b"other bytes").file, Fingerprint("0" * 64, 11))
    with pytest.raises(ContentTrouble):
        default_storage.save("originals/00/changed", content)
    assert not default_storage.exists("originals/00/changed")


@pytest.mark.long
class TestPreparing:
    def test_pages_of_the_named_origins_may_read(self, bucket, capsys):
        call_command("prepare_bucket", "https://annotate.example.org")
        assert "can be used" in capsys.readouterr().out
        default_storage.save("some/file", ContentFile(b"1"))
        signed = addresses.bucket_url("some/file", PERSON)
        theirs = get(signed, Origin="https://annotate.example.org")[1]
        assert theirs["Access-Control-Allow-Origin"] in {"https://annotate.example.org", "*"}

    def test_an_address_that_leads_elsewhere_is_told(self, bucket, settings):
        settings.MEDIA_BUCKET = settings.MEDIA_BUCKET | {"address": f"{bucket.endpoint}/another"}
        addresses._bucket.cache_clear()
        with pytest.raises(CommandError, match="MEDIA_S3_PUBLIC_ADDRESS"):
            call_command("prepare_bucket", "https://annotate.example.org")

    def test_without_a_bucket_there_is_nothing_to_prepare(self):
        with pytest.raises(CommandError, match="MEDIA_DELIVERY"):
            call_command("prepare_bucket", "https://annotate.example.org")
