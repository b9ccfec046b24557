"""The media worker: the rows are the queue, so every video ends, whatever happens to messages and workers."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from catalog import readiness
from jobs import engine, messages
from media import names, transcoding
from media import tasks as media_tasks
from media.models import Asset
from media.transcode import transcode
from media.transcoding import POLICY
from safety import quarantine
from safety import tasks as safety_tasks
from tests import factories
from tests.media.workers import Worker, abandon, pair_of, pending, sha256_of_path
from tests.web import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def corrupt(tmp_path):
    path = tmp_path / "corrupt.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"not a video" * 100)
    return pending(path)


def test_a_pending_video_ends_ready_with_files_and_facts(asset):
    media_tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.state, asset.fps, asset.heartbeat_at) == ("done", 12.0, None)
    assert asset.duration_s == pytest.approx(0.5, abs=0.05)
    assert asset.facts["original"]["video_codec"] == "mpeg4"
    assert asset.facts["playback"]["video_codec"] == "h264"
    written = [names.playback(asset.public_id), names.poster(asset.public_id)]
    written += [names.frame(asset.public_id, number) for number in range(8)]
    assert all(default_storage.exists(name) for name in written)
    sizes = {name: default_storage.size(f"{names.folder(asset.public_id)}/{name}") for name in asset.facts["files"]}
    assert sizes == asset.facts["files"]
    assert {"playback.mp4", "poster.jpg", "frames/0.jpg", "frames/7.jpg"} <= set(sizes)
    playback = Path(default_storage.path(names.playback(asset.public_id)))
    assert asset.facts["playback"]["sha256"] == sha256_of_path(playback)


def test_a_pair_opens_when_both_its_videos_are_ready(study, asset):
    pair = pair_of(study, asset, factories.asset())
    waiting = pair_of(study, asset, factories.asset(state="waiting"))
    media_tasks.transcode_asset(asset.pk)
    pair.refresh_from_db()
    waiting.refresh_from_db()
    assert (pair.ready, waiting.ready) == (True, False)


def test_a_corrupt_video_fails_with_a_reason_and_holds_its_pairs(study, corrupt):
    pair = pair_of(study, corrupt, factories.asset())
    media_tasks.transcode_asset(corrupt.pk)
    corrupt.refresh_from_db()
    pair.refresh_from_db()
    assert corrupt.state == "failed"
    assert len(corrupt.reason) > 20
    assert str(settings.MEDIA_ROOT) not in corrupt.reason
    assert pair.held == readiness.MEDIA_FAILED
    assert not pair.ready
    [event] = AuditEvent.objects.filter(action="asset.failed")
    assert (event.actor_id, event.subject_id, event.study_slug) == (None, str(corrupt.pk), study.slug)
    assert event.after == {"state": "failed", "reason": corrupt.reason_in_words, "pairs_held": 1}


def test_a_message_that_comes_twice_is_harmless(asset):
    media_tasks.transcode_asset(asset.pk)
    finished = Asset.objects.get(pk=asset.pk).finished_at
    media_tasks.transcode_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.finished_at, asset.attempts) == (finished, 1)


def test_a_claimed_video_is_nobody_elses(asset):
    assert transcoding.claim() == asset
    assert transcoding.claim() is None


def test_a_message_for_one_video_prepares_the_one_that_is_due(asset):
    due = factories.asset(state="waiting", priority=asset.priority + 1)
    media_tasks.transcode_asset(asset.pk)
    due.refresh_from_db()
    asset.refresh_from_db()
    assert (due.attempts, asset.attempts) == (0, 0)  # its original is missing: the attempt is not counted
    assert (due.fence, asset.fence) == (1, 0)


def test_of_the_videos_that_wait_the_highest_priority_comes_first_then_the_oldest(db):
    low, older, newer, high = (factories.asset(state="waiting", priority=number) for number in (-1, 0, 0, 5))
    assert [transcoding.claim() for _ in range(5)] == [high, older, newer, low, None]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_workers_who_claim_at_once_get_a_video_each_and_wait_for_nobody():
    assets = [factories.asset(state="waiting") for _ in range(40)]
    barrier = threading.Barrier(4)

    def claims(_):
        try:
            barrier.wait(timeout=30)
            return [transcoding.claim() for _ in range(10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool, transaction.atomic():
        held = Asset.objects.select_for_update().get(pk=assets[0].pk)  # another transaction has locked the first row
        claimed = [asset for group in pool.map(claims, range(4)) for asset in group if asset is not None]
    assert sorted(asset.pk for asset in claimed) == [asset.pk for asset in assets if asset != held]


def test_an_abandoned_claim_is_given_up_and_the_old_worker_cannot_write(asset):
    first = transcoding.claim()
    assert engine.give_up_abandoned(POLICY) == (0, 0)
    abandon(asset)
    assert engine.give_up_abandoned(POLICY) == (1, 0)
    with pytest.raises(engine.TakenOver):
        transcoding.renew(first)
    second = transcoding.claim()
    assert second.fence == first.fence + 1
    engine.end(POLICY, first.pk, first.fence, "failed", reason="too late")
    asset.refresh_from_db()
    assert asset.state == "running"


def test_a_worker_whose_claim_was_taken_over_stores_nothing(asset):
    slow = transcoding.claim()
    abandon(asset)
    engine.give_up_abandoned(POLICY)
    quick = transcoding.claim()
    transcoding.process(slow)
    asset.refresh_from_db()
    assert (asset.state, asset.fence) == ("running", quick.fence)
    assert not default_storage.exists(names.playback(asset.public_id))


def test_a_fresh_row_is_left_to_its_own_message(asset):
    assert engine.waiting_too_long(POLICY, 10) == []
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - 2 * POLICY.resend_after)
    assert engine.waiting_too_long(POLICY, 10) == [asset.pk]


@pytest.mark.long
def test_the_sweep_sends_again_for_what_a_killed_worker_left(asset, empty_queue):
    transcoding.claim()
    Asset.objects.update(created_at=timezone.now() - 2 * POLICY.resend_after)
    assert media_tasks.resend_waiting_media() == 0
    abandon(asset)
    assert media_tasks.resend_waiting_media() == 1


@pytest.mark.django_db(transaction=True)
def test_files_stored_while_the_video_is_reported_go_into_quarantine_after_the_others(asset, monkeypatch):
    pair = pair_of(factories.study(), asset, factories.asset())
    store = transcoding.store

    def store_while_somebody_reports(*arguments):
        quarantine.report(pair, ["video_0"], by=factories.person())
        return store(*arguments)

    monkeypatch.setattr(transcoding, "store", store_while_somebody_reports)
    media_tasks.transcode_asset(asset.pk)
    assert default_storage.exists(names.playback(asset.public_id))
    safety_tasks.settle_quarantines()
    assert not default_storage.exists(names.playback(asset.public_id))
    assert default_storage.exists(names.playback_apart(asset.public_id))


@pytest.fixture(scope="session")
def prepared(clip, tmp_path_factory):
    """Transcode the clip and return its renditions."""
    return transcode(clip, tmp_path_factory.mktemp("prepared"))


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails", [False, True])
def test_two_workers_finishing_the_two_videos_of_a_pair_at_once_settle_it(prepared, fails):
    study = factories.study()
    both = threading.Barrier(2)

    def finish(_):
        try:
            claimed = transcoding.claim()
            both.wait(timeout=30)
            if fails:
                engine.end(POLICY, claimed.pk, claimed.fence, "failed", reason="It ends in the middle.")
            else:
                transcoding.finish(claimed, prepared, {})
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            assets = [factories.asset(state="waiting"), factories.asset(state="waiting")]
            pair = pair_of(study, *assets)
            list(pool.map(finish, assets))
            pair.refresh_from_db()
            assert (pair.ready, bool(pair.held)) == (not fails, fails)


@pytest.fixture
def empty_queue():
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge("media")


def test_a_message_that_was_lost_is_sent_again_though_the_queue_is_empty(asset, empty_queue):
    assert messages.queued("media") == 0
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - 2 * POLICY.resend_after)
    assert media_tasks.resend_waiting_media() == 1
    assert messages.queued("media") == 1


def test_a_message_reaches_the_queue_and_a_full_queue_gets_no_more(asset, empty_queue, monkeypatch):
    messages.send(POLICY.task, [asset.pk])
    assert messages.queued("media") == 1
    Asset.objects.filter(pk=asset.pk).update(created_at=timezone.now() - 2 * POLICY.resend_after)
    assert media_tasks.resend_waiting_media() == 1
    monkeypatch.setattr(messages, "FULL", 2)  # two messages reach this limit
    assert media_tasks.resend_waiting_media() == 0
    assert messages.queued("media") == 2


@pytest.mark.long
def test_without_a_broker_the_row_waits_and_nothing_fails():
    script = "from jobs.messages import send; send('media.tasks.transcode_asset', [1, 2])"
    command = [sys.executable, "manage.py", "shell", "-c", script]
    away = os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    ran = subprocess.run(command, env=away, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "so 2 of media.tasks.transcode_asset wait for the next sweep" in ran.stderr


@pytest.mark.django_db(transaction=True)
def test_a_running_worker_takes_a_message_and_prepares_the_video(clip, empty_queue):
    pair = pair_of(factories.study(), pending(clip), factories.asset())
    asset = pair.video_0.asset
    messages.send(POLICY.task, [asset.pk])
    worker = Worker("-P", "solo")
    try:
        wait_for(
            lambda: Asset.objects.filter(pk=asset.pk, state="done").exists(),
            f"the worker prepared nothing; see {worker.log}",
            within_s=20,
        )
    finally:
        worker.stop()
    pair.refresh_from_db()
    assert pair.ready
    assert default_storage.exists(names.playback(asset.public_id))
    assert messages.queued("media") == 0
