"""Videos are prepared in the order in which their pairs will be served."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from catalog import media_order, readiness
from catalog.models import Pair
from media import transcoding
from media.models import Asset
from tests import factories
from tests.importing.manifests import imported, pair, prompts_with_videos, write
from tests.importing.test_import_study import sha256_of

pytestmark = pytest.mark.django_db


def waiting_pair(study, **values):
    """Return a pair whose two videos wait."""
    prompt = factories.prompt(study)
    videos = {f"video_{n}": factories.video(prompt, asset=factories.asset(state="waiting")) for n in (0, 1)}
    return factories.pair(study, prompt=prompt, ready=False, **videos | values)


def order():
    """Return the pairs in the order in which the first of their videos is claimed."""
    found = []
    while asset := transcoding.claim():
        pair = Pair.objects.filter(readiness.pairs_of([asset.pk])).first()
        if pair not in found:
            found.append(pair)
    return found


def test_higher_priority_comes_first_and_of_equals_the_earlier_pair(study):
    last, first, second, third = (waiting_pair(study, priority=priority) for priority in (-3, 7, 0, 0))
    assert media_order.prioritise(study) == 8
    assert media_order.prioritise(study) == 0  # nothing has changed
    assert order() == [first, second, third, last]


def test_both_videos_of_a_pair_are_neighbours(study):
    pairs = [waiting_pair(study) for _ in range(3)]
    Asset.objects.filter(videos__pairs_as_0=pairs[0]).update(created_at="2020-01-01T00:00Z")
    media_order.prioritise(study)
    claimed = [transcoding.claim().pk for _ in range(6)]
    assert [set(claimed[n : n + 2]) for n in (0, 2, 4)] == [
        {pair.video_0.asset_id, pair.video_1.asset_id} for pair in pairs
    ]


@pytest.mark.long
def test_paused_studies_wait_behind_running_ones_and_closed_ones_come_last():
    paused, closed, running = (factories.study(state=state) for state in ("paused", "closed", "running"))
    urgent = waiting_pair(paused, priority=10**9)
    over = waiting_pair(closed, priority=10**9)
    idle = waiting_pair(running, priority=-(10**9))
    for study in (paused, closed, running):
        media_order.prioritise(study)
    assert order() == [idle, urgent, over]


def test_resuming_a_study_lets_its_videos_come_first_again():
    paused, running = factories.study(state="paused"), factories.study()
    mine, other = waiting_pair(paused, priority=1), waiting_pair(running)
    for study in (paused, running):
        media_order.prioritise(study)
    paused.state = "running"
    paused.save()
    media_order.prioritise(paused)
    assert order() == [mine, other]


@pytest.mark.long
def test_a_file_that_two_studies_use_has_the_better_of_its_places(study):
    shared = waiting_pair(factories.study(state="paused"))
    before = waiting_pair(study)
    prompt = factories.prompt(study)
    urgent = factories.pair(
        study, prompt=prompt, ready=False, priority=1, video_0=factories.video(prompt, asset=shared.video_0.asset)
    )
    for one in (study, shared.study):
        media_order.prioritise(one)
    assert transcoding.claim() == shared.video_0.asset
    assert {transcoding.claim().pk, transcoding.claim().pk} == {before.video_0.asset_id, before.video_1.asset_id}
    assert transcoding.claim() == shared.video_1.asset
    assert urgent.video_1.asset.state == "done"


def test_only_pairs_from_the_given_one_on_are_looked_at(study):
    old, new = waiting_pair(study), waiting_pair(study)
    assert media_order.prioritise(study, new.pk) == 2
    assert Asset.objects.get(pk=old.video_0.asset_id).priority == 0


def test_places_fit_their_column_at_both_ends(study):
    for priority in (10**9, -(10**9)):
        waiting_pair(study, priority=priority)
    Pair.objects.filter(priority__lt=0).update(id=10**12)  # far behind the study's first
    for state in ("running", "paused", "closed"):
        study.state = state
        study.save()
        media_order.prioritise(study)
    assert set(Asset.objects.values_list("priority", flat=True)) == {-(2**31)}


@pytest.mark.django_db(transaction=True)
def test_imported_videos_are_prepared_in_the_order_of_their_pairs(tmp_path):
    lines = [*prompts_with_videos(3, 2), *(pair(f"p{n}-a", f"p{n}-b", priority=n) for n in range(3))]
    folder = write(tmp_path, lines)
    imported(folder)
    claimed = [transcoding.claim().sha256 for _ in range(6)]
    wanted = [{sha256_of(folder / f"clips/p{n}-{letter}.mp4") for letter in "ab"} for n in (2, 1, 0)]
    assert [set(claimed[n : n + 2]) for n in (0, 2, 4)] == wanted


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_nobody_who_holds_a_video_or_a_pair():
    study = factories.study()
    pairs = [waiting_pair(study) for _ in range(2)]

    def prioritise():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return media_order.prioritise(study)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Asset.objects.select_for_update().get(pk=pairs[0].video_0.asset_id)
        list(Pair.objects.select_for_update())
        assert pool.submit(prioritise).result(timeout=30) == 3


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_imports_of_the_same_files_at_once_do_not_stop_each_other(tmp_path):
    folder = write(tmp_path, prompts_with_videos(20, 2))
    start = threading.Barrier(3)

    def bring(slug):
        try:
            start.wait(timeout=30)
            return imported(folder, slug).pairs.added
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(bring, ["one", "two", "three"])) == [20, 20, 20]
    assert Asset.objects.filter(state="waiting").count() == 40
