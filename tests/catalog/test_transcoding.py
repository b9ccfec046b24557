"""The media worker: rows are the queue, so whatever happens to messages and workers, every video ends somewhere."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import ffmpeg
import pytest
from celery import current_app
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from catalog import tasks, transcoding
from catalog.media import names
from catalog.media.transcode import sha256_of
from catalog.models import Asset
from diptych.embedded import binaries
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Half a second of MPEG-4 part 2 in an AVI, which no browser plays."""
    path = tmp_path_factory.mktemp("clips") / "clip.avi"
    source = ffmpeg.input("testsrc2=size=160x90:rate=12:duration=0.5", f="lavfi")
    source.output(str(path), vcodec="mpeg4").run(cmd=binaries.ffmpeg(), quiet=True)
    return path


def pending(path: Path, **values):
    """A pending asset with its original in storage."""
    digest = sha256_of(path)
    name = f"originals/{digest[:2]}/{digest}"
    with path.open("rb") as file:
        default_storage.save(name, file)
    values = {"state": "pending", "sha256": digest} | values
    return factories.asset(byte_size=path.stat().st_size, original=name, **values)


@pytest.fixture
def asset(clip):
    return pending(clip)


@pytest.fixture
def corrupt(tmp_path):
    path = tmp_path / "corrupt.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"not a video" * 100)
    return pending(path)


def pair_of(study, first, second):
    prompt = factories.prompt(study)
    return factories.pair(
        study,
        prompt=prompt,
        video_0=factories.video(prompt, asset=first),
        video_1=factories.video(prompt, asset=second),
        ready=False,
    )


def test_a_pending_video_ends_ready_with_files_and_facts(asset):
    tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.state, asset.fps, asset.heartbeat_at) == ("ready", 12.0, None)
    assert asset.duration_s == pytest.approx(0.5, abs=0.05)
    assert asset.facts["original"]["video_codec"] == "mpeg4"
    assert asset.facts["playback"]["video_codec"] == "h264"
    written = [names.playback(asset.public_id), names.poster(asset.public_id)]
    written += [names.frame(asset.public_id, number) for number in range(8)]
    assert all(default_storage.exists(name) for name in written)


def test_a_pair_opens_when_both_its_videos_are_ready(study, asset):
    pair = pair_of(study, asset, factories.asset())
    waiting = pair_of(study, asset, factories.asset(state="pending"))
    tasks.transcode_asset(asset.pk)
    pair.refresh_from_db()
    waiting.refresh_from_db()
    assert (pair.ready, waiting.ready) == (True, False)


def test_a_corrupt_video_fails_with_a_reason_and_holds_its_pairs(study, corrupt):
    pair = pair_of(study, corrupt, factories.asset())
    tasks.transcode_asset(corrupt.pk)
    corrupt.refresh_from_db()
    pair.refresh_from_db()
    assert corrupt.state == "failed"
    assert len(corrupt.reason) > 20
    assert str(settings.MEDIA_ROOT) not in corrupt.reason
    assert pair.held == transcoding.MEDIA_FAILED
    assert not pair.ready


def test_a_message_that_comes_twice_is_harmless(asset):
    tasks.transcode_asset(asset.pk)
    finished = Asset.objects.get(pk=asset.pk).finished_at
    tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.finished_at, asset.attempts) == (finished, 1)


def test_a_claimed_video_is_nobody_elses(asset):
    assert transcoding.claim(asset.pk) is not None
    assert transcoding.claim(asset.pk) is None


def test_an_abandoned_claim_is_taken_over_and_the_old_worker_cannot_write(asset):
    first = transcoding.claim(asset.pk)
    long_ago = timezone.now() - 2 * transcoding.ABANDONED_AFTER
    Asset.objects.filter(pk=asset.pk).update(heartbeat_at=long_ago)
    assert transcoding.waiting() == [asset.pk]
    second = transcoding.claim(asset.pk)
    assert second.fence == first.fence + 1
    transcoding.finish_failed(first, "too late")
    asset.refresh_from_db()
    assert asset.state == "processing"


def test_a_video_that_keeps_ending_its_worker_fails_with_that_reason(study, asset):
    pair = pair_of(study, asset, factories.asset())
    for _ in range(transcoding.MOST_ATTEMPTS):
        assert transcoding.claim(asset.pk)
        Asset.objects.filter(pk=asset.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert transcoding.claim(asset.pk) is None
    transcoding.fail_hopeless()
    asset.refresh_from_db()
    pair.refresh_from_db()
    assert asset.state == "failed"
    assert str(transcoding.MOST_ATTEMPTS) in asset.reason
    assert pair.held


def test_a_fresh_row_is_left_to_its_own_message(asset):
    assert transcoding.waiting() == []
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - 2 * transcoding.RESEND_AFTER)
    assert transcoding.waiting() == [asset.pk]


@pytest.mark.django_db(transaction=True)
def test_two_workers_finishing_the_two_videos_of_a_pair_at_once_open_it(clip):
    from concurrent.futures import ThreadPoolExecutor

    study = factories.study()
    assets = [factories.asset(state="pending"), factories.asset(state="pending")]
    pair = pair_of(study, *assets)
    claimed = [transcoding.claim(asset.pk) for asset in assets]

    def finish(asset):
        try:
            from django.db import transaction

            with transaction.atomic():
                transcoding._finish(asset, state="ready", duration_s=1.0, fps=12.0)
                transcoding.settle_pairs(asset)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(finish, claimed))
    pair.refresh_from_db()
    assert pair.ready


def test_a_message_reaches_the_queue_and_a_full_queue_gets_no_more(asset, monkeypatch):
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_declare("media")
        broker.default_channel.queue_purge("media")
    tasks.announce([asset.pk])
    assert tasks.queued() == 1
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - 2 * transcoding.RESEND_AFTER)
    assert tasks.resend_waiting_media() == 1
    monkeypatch.setattr(tasks, "FULL", 2)  # a limit that two messages reach
    assert tasks.resend_waiting_media() == 0
    assert tasks.queued() == 2


def test_without_a_broker_the_row_waits_and_nothing_fails():
    command = [sys.executable, "manage.py", "shell", "-c", "from catalog.tasks import announce; announce([1, 2])"]
    away = os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    ran = subprocess.run(command, env=away, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "The broker is away; 2 videos wait for the next sweep" in ran.stderr
