"""The media worker: rows are the queue, so whatever happens to messages and workers, every video ends somewhere."""

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import ffmpeg
import pytest
from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent
from catalog import tasks, transcoding
from catalog.media import names
from catalog.media.transcode import transcode
from catalog.models import Asset
from diptych.embedded import binaries
from tests import factories
from tests.catalog.workers import Worker, pending, sha256_of_path
from tests.web import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Half a second of MPEG-4 part 2 in an AVI, which no browser plays."""
    path = tmp_path_factory.mktemp("clips") / "clip.avi"
    source = ffmpeg.input("testsrc2=size=160x90:rate=12:duration=0.5", f="lavfi")
    source.output(str(path), vcodec="mpeg4").run(cmd=binaries.ffmpeg(), quiet=True)
    return path


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
    playback = Path(default_storage.path(names.playback(asset.public_id)))
    assert asset.facts["playback"]["sha256"] == sha256_of_path(playback)


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
    [event] = AuditEvent.objects.filter(action="asset.failed")
    assert (event.actor_id, event.subject_id, event.study_slug) == (None, str(corrupt.pk), study.slug)
    assert event.after == {"state": "failed", "reason": corrupt.reason, "pairs_held": 1}


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


def after_the_pause(asset):
    Asset.objects.filter(pk=asset.pk).update(heartbeat_at=timezone.now() - 2 * transcoding.PAUSE_AFTER_TROUBLE)


def test_trouble_of_this_machine_fails_no_video_however_long_it_lasts(study, asset):
    pair = pair_of(study, asset, factories.asset())
    original = default_storage.path(asset.original)
    shutil.move(original, f"{original}.away")  # the folder of files is not there for a while

    for _ in range(2 * transcoding.MOST_ATTEMPTS):
        tasks.transcode_asset(asset.pk)
        asset.refresh_from_db()
        assert (asset.state, asset.attempts) == ("pending", 0)
        assert asset.facts == {"trouble": "No such file or directory"}
        after_the_pause(asset)
    shutil.move(f"{original}.away", original)
    tasks.transcode_asset(asset.pk)

    asset.refresh_from_db()
    pair.refresh_from_db()
    assert (asset.state, asset.attempts, asset.fence) == ("ready", 1, 2 * transcoding.MOST_ATTEMPTS + 1)
    assert set(asset.facts) == {"original", "playback"}
    assert (pair.ready, pair.held) == (True, "")


def test_renditions_that_cannot_be_stored_are_trouble_of_this_machine(asset):
    default_storage.save(names.folder(asset.public_id), ContentFile(b"a file where a folder should be"))
    tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.state, asset.attempts) == ("pending", 0)


def test_a_video_that_was_put_back_is_left_alone_for_a_while(asset):
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - timedelta(hours=1))
    transcoding.put_back(transcoding.claim(asset.pk), "No space left on device", counted=False)
    assert transcoding.waiting() == []
    assert transcoding.claim(asset.pk) is None
    after_the_pause(asset)
    assert transcoding.waiting() == [asset.pk]
    assert transcoding.claim(asset.pk).fence == 2


def test_a_video_that_keeps_ending_ffmpeg_fails_with_that_reason(asset, tmp_path, monkeypatch):
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "ffmpeg").chmod(0o700)
    monkeypatch.setattr(binaries, "ffmpeg", lambda: tmp_path / "ffmpeg")
    for attempt in range(1, transcoding.MOST_ATTEMPTS + 1):
        asset.refresh_from_db()
        assert (asset.state, asset.attempts) == ("pending", attempt - 1)
        tasks.transcode_asset(asset.pk)
        after_the_pause(asset)
    asset.refresh_from_db()
    assert asset.state == "failed"
    assert asset.reason == "Preparing this video failed 5 times; the last time: ffmpeg was ended by signal 9."


def test_a_worker_whose_claim_was_taken_over_stores_nothing(asset):
    slow = transcoding.claim(asset.pk)
    Asset.objects.filter(pk=asset.pk).update(heartbeat_at=timezone.now() - 2 * transcoding.ABANDONED_AFTER)
    quick = transcoding.claim(asset.pk)
    transcoding.process(slow)
    asset.refresh_from_db()
    assert (asset.state, asset.fence) == ("processing", quick.fence)
    assert not default_storage.exists(names.playback(asset.public_id))


@pytest.mark.django_db(transaction=True)
def test_the_heart_beats_on_after_trouble_with_the_database(monkeypatch):
    monkeypatch.setattr(transcoding, "HEARTBEAT_S", 0.02)
    claimed = transcoding.claim(factories.asset(state="pending").pk)

    def beats_after(moment):
        return Asset.objects.filter(pk=claimed.pk, heartbeat_at__gt=moment).exists()

    before = connections_of_the_database()
    with transcoding.heartbeat(claimed):
        wait_for(lambda: beats_after(claimed.heartbeat_at), "the heart does not beat")
        [own] = connections_of_the_database() - before
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
        wait_for(lambda: connections_of_the_database() - before - {own}, "the heart opened no other connection")
        ended = timezone.now()
        wait_for(lambda: beats_after(ended), "the heart beats no more")
    wait_for(lambda: not connections_of_the_database() - before, "the heart's connection is still open")


def connections_of_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return {pid for (pid,) in cursor.fetchall()}


def test_a_fresh_row_is_left_to_its_own_message(asset):
    assert transcoding.waiting() == []
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - 2 * transcoding.RESEND_AFTER)
    assert transcoding.waiting() == [asset.pk]


@pytest.fixture(scope="session")
def prepared(clip, tmp_path_factory):
    """What came of the clip."""
    return transcode(clip, tmp_path_factory.mktemp("prepared"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails", [False, True])
def test_two_workers_finishing_the_two_videos_of_a_pair_at_once_settle_it(prepared, fails):
    study = factories.study()
    both = threading.Barrier(2)

    def finish(asset):
        try:
            claimed = transcoding.claim(asset.pk)
            both.wait(timeout=30)
            if fails:
                transcoding.finish_failed(claimed, "It ends in the middle.")
            else:
                transcoding.finish_ready(claimed, prepared)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            assets = [factories.asset(state="pending"), factories.asset(state="pending")]
            pair = pair_of(study, *assets)
            list(pool.map(finish, assets))
            pair.refresh_from_db()
            assert (pair.ready, bool(pair.held)) == (not fails, fails)


@pytest.fixture
def empty_queue():
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge("media")


def test_a_message_that_was_lost_is_sent_again_though_the_queue_is_empty(asset, empty_queue):
    assert tasks.queued() == 0
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - 2 * transcoding.RESEND_AFTER)
    assert tasks.resend_waiting_media() == 1
    assert tasks.queued() == 1


def test_a_message_reaches_the_queue_and_a_full_queue_gets_no_more(asset, empty_queue, monkeypatch):
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


@pytest.mark.django_db(transaction=True)
def test_a_running_worker_takes_a_message_and_prepares_the_video(clip, empty_queue):
    pair = pair_of(factories.study(), pending(clip), factories.asset())
    asset = pair.video_0.asset
    tasks.announce([asset.pk])
    worker = Worker("-P", "solo")
    try:
        wait_for(
            lambda: Asset.objects.filter(pk=asset.pk, state="ready").exists(),
            f"the worker prepared nothing; see {worker.log}",
            within_s=20,
        )
    finally:
        worker.stop()
    pair.refresh_from_db()
    assert pair.ready
    assert default_storage.exists(names.playback(asset.public_id))
    assert tasks.queued() == 0
