"""Imports at the same time as others and as media workers: nothing twice, nothing forgotten, no deadlock."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from catalog import readiness
from catalog.media_retry import retry_failed
from catalog.models import Batch, Pair, Prompt, Video
from diptych.refusals import Refused
from importing import writing_pairs
from media import transcoding
from media.models import Asset
from studies.models import Study
from tests import factories
from tests.importing.manifests import imported, prompt, prompts_with_videos, write
from tests.importing.test_import_study import sha256_of

pytestmark = pytest.mark.django_db(transaction=True)


def together(*works):
    """Run each function in a thread with its own connection, starting at the same moment."""
    barrier = threading.Barrier(len(works))

    def run(work):
        try:
            barrier.wait(timeout=30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.long
def test_two_imports_of_one_study_at_once_bring_everything_once(tmp_path):
    folder = write(tmp_path, prompts_with_videos(30, 3))
    reports = together(*[lambda: imported(folder, batch_size=40)] * 3)
    assert sum(report.study_created for report in reports) == 1
    assert sum(report.prompts.added for report in reports) == 30
    assert sum(report.pairs.added for report in reports) == Pair.objects.count() == 90
    assert sum(report.assets.added for report in reports) == Asset.objects.count() == 90
    assert sorted(batch.pairs.count() for batch in Batch.objects.all()) == [10, 40, 40]
    for asset in Asset.objects.all():
        with default_storage.open(asset.original) as kept:
            assert len(kept.read()) == asset.byte_size


@pytest.mark.long
def test_two_studies_that_bring_the_same_bytes_at_once(tmp_path):
    lines = prompts_with_videos(30, 3)
    one, other = write(tmp_path / "one", lines), write(tmp_path / "other", lines[::-1])
    together(lambda: imported(one, "one"), lambda: imported(other, "other"))
    assert (Asset.objects.count(), Video.objects.count(), Pair.objects.count()) == (90, 180, 180)


@pytest.mark.long
def test_near_duplicates_that_come_at_once_are_one_cluster(tmp_path):
    text = "A small brown dog runs along the beach at sunset while gentle waves roll in"
    folders = [write(tmp_path / f"{number}", [prompt(f"p{number}", text=f"{text} {number}")]) for number in range(4)]
    together(*[lambda folder=folder: imported(folder) for folder in folders])
    assert Prompt.objects.count() == 4
    assert Prompt.objects.values("cluster", "split").distinct().count() == 1


@pytest.mark.long
def test_one_id_for_two_texts_at_once_comes_in_for_one_of_them(tmp_path):
    factories.study(slug="colours")
    folders = [write(tmp_path / text, [prompt("p", text=text)]) for text in ("A red ball", "A blue ball")]

    def bring(folder):
        try:
            return imported(folder).imported
        except Refused:
            return False

    assert sorted(together(*[lambda folder=folder: bring(folder) for folder in folders])) == [False, True]
    assert Prompt.objects.get().source_id == "p"


@pytest.mark.long
def test_pausing_a_study_and_adding_to_another_do_not_wait_for_an_import(tmp_path):
    imported(write(tmp_path, prompts_with_videos(1, 2)))
    with transaction.atomic():
        imported(write(tmp_path, prompts_with_videos(2, 2)))  # holds its locks until this block ends

        def pause():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            return Study.objects.update(state="paused")

        assert together(pause) == [1]


@pytest.mark.long
@pytest.mark.parametrize("worker_first", [True, False])
def test_a_video_that_becomes_ready_while_its_pair_is_imported_is_not_forgotten(tmp_path, monkeypatch, worker_first):
    """The worker cannot see the new pair, and the import cannot see the worker's outcome, until either commits."""
    folder = write(tmp_path, prompts_with_videos(1, 2))
    for letter, values in (("a", {}), ("b", {"state": "waiting"})):
        factories.asset(sha256=sha256_of(folder / f"clips/p0-{letter}.mp4"), **values)
    claimed = transcoding.claim()
    written, locked = threading.Event(), threading.Event()
    settle_new, settle_pairs = writing_pairs.settle_new, readiness.settle_pairs

    def finish():
        with transaction.atomic():
            if not worker_first:
                assert locked.wait(timeout=30)  # the import holds the asset: this update waits for its commit
            Asset.objects.filter(pk=claimed.pk).update(
                state="done", duration_s=1.0, fps=24.0, finished_at=timezone.now(), heartbeat_at=None
            )
            settle_pairs(claimed)
            written.set()
            if worker_first:
                wait_until_somebody_waits()

    def settle_at_the_worst_moment(study, first):
        if worker_first:
            assert written.wait(timeout=30)  # the worker has settled what it sees, and not committed
        settle_new(study, first)
        locked.set()
        if not worker_first:
            wait_until_somebody_waits()

    monkeypatch.setattr(writing_pairs, "settle_new", settle_at_the_worst_moment)
    together(finish, lambda: imported(folder))

    assert Pair.objects.get().ready is True
    assert set(Asset.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.long
def test_a_video_that_is_tried_again_while_its_pair_is_imported_does_not_leave_the_pair_held(tmp_path):
    folder = write(tmp_path, prompts_with_videos(1, 2))
    broken = factories.asset(
        sha256=sha256_of(folder / "clips/p0-a.mp4"), state="failed", reason="The disk was full, we thought."
    )
    other = factories.video(factories.prompt(factories.study()), asset=broken).study

    def retry():
        try:
            return retry_failed(other)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            imported(folder)
            assert Pair.objects.get().held
            retrying = pool.submit(retry)
            wait_until_somebody_waits()
        assert retrying.result(timeout=30) == (1, 1)
    assert Pair.objects.get().held == ""


def wait_until_somebody_waits():
    """Wait until another connection waits for a lock."""
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.05)
    raise AssertionError("Nobody waits for the lock.")
