"""Problems while videos are prepared: of this machine, of the worker, of ffmpeg. Temporary ones are retried."""

import contextlib
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.utils import timezone

from diptych.embedded import binaries
from jobs import engine
from jobs.heartbeat import heartbeat
from media import names, tasks, transcoding
from media.models import Asset
from media.transcode import transcode
from media.transcoding import POLICY
from tests import factories
from tests.media.workers import abandon, pair_of, pending
from tests.web import wait_for

pytestmark = pytest.mark.django_db


def after_the_pause(asset):
    assert Asset.objects.get(pk=asset.pk).wait_until > timezone.now()
    Asset.objects.filter(pk=asset.pk).update(wait_until=timezone.now())


@pytest.mark.long
def test_trouble_of_this_machine_fails_no_video_however_long_it_lasts(study, asset):
    pair = pair_of(study, asset, factories.asset())
    original = default_storage.path(asset.original)
    shutil.move(original, f"{original}.away")  # the folder of files is missing for a while

    for times in range(1, 2 * POLICY.most_attempts + 1):
        tasks.transcode_asset(asset.pk)
        asset.refresh_from_db()
        assert (asset.state, asset.attempts) == ("waiting", 0)
        assert (asset.reason, asset.pauses) == ("No such file or directory", times)
        after_the_pause(asset)
    shutil.move(f"{original}.away", original)
    tasks.transcode_asset(asset.pk)

    asset.refresh_from_db()
    pair.refresh_from_db()
    assert (asset.state, asset.attempts, asset.fence) == ("done", 1, 2 * POLICY.most_attempts + 1)
    assert asset.wait_until is None
    assert asset.reason == ""
    assert (pair.ready, pair.held) == (True, "")


@pytest.mark.long
def test_renditions_that_cannot_be_stored_are_trouble_of_this_machine(asset):
    default_storage.save(names.folder(asset.public_id), ContentFile(b"a file where a folder should be"))
    tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.state, asset.attempts) == ("waiting", 0)


@pytest.mark.long
def test_a_video_that_was_put_back_is_left_alone_for_a_while(asset):
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - timedelta(hours=1))
    claimed = transcoding.claim()
    engine.put_back(POLICY, claimed.pk, claimed.fence, "No space left on device", counted=False)
    assert engine.waiting_too_long(POLICY, 10) == []
    assert transcoding.claim() is None
    after_the_pause(asset)
    assert engine.waiting_too_long(POLICY, 10) == [asset.pk]
    assert transcoding.claim().fence == 2


@pytest.mark.long
def test_pauses_grow_from_15_seconds_to_30_minutes_and_are_drawn():
    pauses = [[POLICY.pause(times).total_seconds() for _ in range(50)] for times in (1, 2, 3, 9, 1000)]
    bounds = [(15, 30), (30, 60), (60, 120), (900, 1800), (900, 1800)]
    for drawn, (shortest, longest) in zip(pauses, bounds, strict=True):
        assert shortest <= min(drawn) < max(drawn) <= longest


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_database_connection_broke_puts_the_video_back_over_another(asset, monkeypatch):
    def transcode_while_the_database_restarts(*arguments):
        with connection.cursor() as cursor, contextlib.suppress(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return transcode(*arguments)

    monkeypatch.setattr(transcoding, "transcode", transcode_while_the_database_restarts)
    tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.state, asset.attempts, asset.pauses) == ("waiting", 0, 1)
    assert asset.wait_until > timezone.now()


@pytest.mark.long
def test_a_video_that_keeps_ending_ffmpeg_fails_with_that_reason(asset, tmp_path, monkeypatch):
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "ffmpeg").chmod(0o700)
    monkeypatch.setattr(binaries, "ffmpeg", lambda: tmp_path / "ffmpeg")
    for attempt in range(1, POLICY.most_attempts + 1):
        asset.refresh_from_db()
        assert (asset.state, asset.attempts) == ("waiting", attempt - 1)
        tasks.transcode_asset(asset.pk)
        if attempt < POLICY.most_attempts:
            after_the_pause(asset)
    asset.refresh_from_db()
    assert asset.state == "failed"
    assert asset.reason_in_words == "Preparing this video failed 5 times. The last error: ffmpeg was ended by signal 9."


@pytest.mark.long
def test_what_a_killed_worker_left_half_written_goes_when_the_video_is_prepared_again(asset):
    half = default_storage.save(f"{names.folder(asset.public_id)}/frames/.0123456789abcdef.part", ContentFile(b"ha"))
    Asset.objects.update(fence=1)  # it was claimed before
    tasks.transcode_asset(asset.pk)
    assert not default_storage.exists(half)
    assert default_storage.exists(names.frame(asset.public_id, 7))


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_heart_beats_on_after_trouble_with_the_database():
    factories.asset(state="waiting")
    claimed = transcoding.claim()

    def beats_after(moment):
        return Asset.objects.filter(pk=claimed.pk, heartbeat_at__gt=moment).exists()

    before = connections_of_the_database()
    with heartbeat(replace(POLICY, beat_every_s=0.02), claimed):
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


@pytest.mark.long
def test_a_video_that_keeps_ending_its_worker_fails_with_that_reason(study, asset):
    pair = pair_of(study, asset, factories.asset())
    for attempt in range(POLICY.most_attempts):
        assert transcoding.claim() == asset
        abandon(asset)
        assert engine.give_up_abandoned(POLICY) == ((1, 0) if attempt + 1 < POLICY.most_attempts else (0, 1))
    assert transcoding.claim() is None
    asset.refresh_from_db()
    pair.refresh_from_db()
    assert asset.state == "failed"
    assert str(POLICY.most_attempts) in asset.reason
    assert pair.held


@pytest.mark.long
def test_a_bucket_that_is_away_fails_no_video(bucket, clip, settings, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    asset = pending(clip)
    there = settings.STORAGES
    nowhere = there["default"] | {"OPTIONS": there["default"]["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:1"}}
    settings.STORAGES = there | {"default": nowhere}
    tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.state, asset.attempts) == ("waiting", 0)
    assert "127.0.0.1:1" in asset.reason
    after_the_pause(asset)
    settings.STORAGES = there
    tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert asset.state == "done"
