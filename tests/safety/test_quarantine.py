"""Quarantine: what a report removes, at once and for everybody, what a release restores, and what a kill leaves."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from catalog import readiness
from catalog.models import Pair
from diptych.refusals import Refused
from jobs import engine
from media import names, transcoding
from media.addresses import playback_url, poster_url
from media.models import Asset
from media.quarantined import Dark, dark
from safety import quarantine, quarantine_files
from safety.models import Officer, Quarantine, Referral, Report
from safety.tasks import settle_quarantines
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.importing.import_jobs import settle_new_pairs
from tests.web import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def stored(asset: Asset) -> Asset:
    """Return the asset, with an original, a playback file, a poster and a frame in storage."""
    for name in files_of(asset):
        default_storage.save(name, ContentFile(f"bytes of {name}".encode()))
    return asset


def files_of(asset: Asset) -> list[str]:
    return [
        asset.original,
        names.playback(asset.public_id),
        names.poster(asset.public_id),
        names.frame(asset.public_id, 3),
    ]


def files_apart(asset: Asset) -> list[str]:
    folder = names.renditions_apart(asset.public_id)
    return [
        names.original_apart(asset.public_id),
        names.playback_apart(asset.public_id),
        f"{folder}/poster.jpg",
        f"{folder}/frames/3.jpg",
    ]


@pytest.fixture
def annotator() -> Any:
    """Return an annotator who reports, and for brevity is a safety officer of the installation too."""
    person = factories.member(factories.study(), "annotator")
    Officer.objects.create(person=person)
    return person


def pair_with(asset: Asset, study: Any = None, **values: Any) -> Pair:
    study = study or factories.study()
    prompt = factories.prompt(study)
    return factories.pair(study, prompt=prompt, video_0=factories.video(prompt, asset=asset), **values)


def report(pair: Pair, person: Any, *videos: str) -> Quarantine:
    return quarantine.report(pair, videos or ["video_0"], by=person)[0]


def media(client: Any, asset: Asset) -> list[int]:
    addresses = (playback_url(asset.public_id, 1, None, 3600), poster_url(asset.public_id, 1, None, 3600))
    return [client.get(address).status_code for address in addresses]


# --- What a report takes away -------------------------------------------------------------------------------


def test_a_report_holds_every_pair_of_every_study_that_uses_the_bytes(annotator):
    asset = factories.asset()
    pair, elsewhere, other = pair_with(asset), pair_with(asset), pair_with(factories.asset())

    report(pair, annotator)

    held = dict(Pair.objects.values_list("pk", "held"))
    assert held == {pair.pk: "quarantined", elsewhere.pk: "quarantined", other.pk: ""}
    assert list(Pair.objects.usable()) == [other]
    asset.refresh_from_db()
    assert asset.quarantined_at is not None
    studies = {event.study_slug for event in AuditEvent.objects.filter(action="asset.quarantined")}
    assert studies == {pair.study.slug, elsewhere.study.slug}


def test_only_what_is_named_is_taken_away(annotator):
    pair = pair_with(factories.asset())
    report(pair, annotator, "video_1")
    pair.refresh_from_db()
    assert pair.video_0.asset.quarantined_at is None
    assert pair.video_1.asset.quarantined_at is not None


def test_addresses_that_were_given_out_die_and_nothing_of_the_asset_is_served(client, annotator):
    asset = stored(factories.asset())
    assert media(client, asset) == [200, 200]

    report(pair_with(asset), annotator)

    assert media(client, asset) == [404, 404]


@pytest.mark.long
def test_original_and_all_renditions_lie_apart_and_nothing_is_lost(annotator):
    asset = stored(factories.asset())
    before = [default_storage.open(name).read() for name in files_of(asset)]

    row = report(pair_with(asset), annotator)

    assert not any(default_storage.exists(name) for name in files_of(asset))
    assert [default_storage.open(name).read() for name in files_apart(asset)] == before
    row.refresh_from_db()
    assert row.files_settled_at is not None


def test_an_address_is_dead_before_its_files_are_moved(client, annotator, monkeypatch):
    def unreachable(asset):
        raise OSError("storage is away")

    asset = stored(factories.asset())
    assert media(client, asset) == [200, 200]
    monkeypatch.setattr(quarantine, "set_apart", unreachable)  # as an unreachable storage does

    report(pair_with(asset), annotator)

    assert default_storage.exists(names.playback(asset.public_id))
    assert media(client, asset) == [404, 404]


def test_another_process_learns_of_it_within_a_second(annotator):
    another_process = Dark(valid_s=0)
    asset = factories.asset()
    assert asset.public_id not in another_process.public_ids()
    report(pair_with(asset), annotator)
    assert asset.public_id in another_process.public_ids()
    assert asset.sha256 in another_process.sha256s()


def test_nothing_is_served_while_nobody_can_say_what_is_in_quarantine(client, monkeypatch):
    asset = stored(factories.asset())
    dark.forget()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")  # no database listens there
    connection.close()
    try:
        statuses = media(client, asset)
    finally:
        monkeypatch.undo()
        connection.close()
    assert statuses == [503, 503]


@pytest.mark.long
def test_reporting_again_and_by_several_people_at_once_makes_one_quarantine(annotator):
    asset = stored(factories.asset())
    pairs = [pair_with(asset) for _ in range(4)]
    people = [annotator, *(factories.person() for _ in range(3))]

    results = at_once(*[lambda pair=pair, by=by: report(pair, by) for pair, by in zip(pairs, people, strict=True)])
    report(pairs[0], annotator)

    assert len({row.pk for row in results}) == 1
    assert Quarantine.objects.count() == 1
    assert sorted(Report.objects.values_list("person_id", flat=True)) == sorted(person.pk for person in people)
    assert not Pair.objects.usable().exists()


@pytest.mark.long
def test_two_people_who_report_both_videos_in_opposite_order_do_not_wait_for_each_other(annotator):
    for _ in range(10):
        pair = pair_with(factories.asset())
        other = factories.person()
        results = at_once(
            lambda pair=pair: quarantine.report(pair, ["video_0", "video_1"], by=annotator),
            lambda pair=pair, other=other: quarantine.report(pair, ["video_1", "video_0"], by=other),
        )
        assert [error for error in results if isinstance(error, Exception)] == []


def test_a_video_in_quarantine_is_not_prepared_and_goes_on_after_the_release(annotator):
    waiting = factories.asset(state="waiting", created_at=timezone.now() - timedelta(hours=1))
    row = report(pair_with(waiting), annotator)
    assert transcoding.claim() is None
    assert waiting.pk not in engine.waiting_too_long(transcoding.POLICY, 10)
    quarantine.release(row, annotator, reason="Looked at.")
    assert transcoding.claim() is not None


def test_a_worker_that_was_preparing_it_writes_nothing_more(annotator):
    waiting = factories.asset(state="waiting")
    claimed = transcoding.claim()
    report(pair_with(waiting), annotator)
    with pytest.raises(engine.TakenOver):
        transcoding.renew(claimed)


# --- What a release brings back -----------------------------------------------------------------------------


def test_a_release_brings_files_pairs_and_addresses_back(client, annotator):
    asset = stored(factories.asset())
    pair = pair_with(asset)
    row = report(pair, annotator)

    quarantine.release(row, annotator, reason="A scene of a film.")

    assert all(default_storage.exists(name) for name in files_of(asset))
    assert not any(default_storage.exists(name) for name in files_apart(asset))
    pair.refresh_from_db()
    asset.refresh_from_db()
    assert (pair.held, pair.held_before, asset.quarantined_at) == ("", "", None)
    assert media(client, asset) == [200, 200]


def test_a_hold_for_another_reason_stays(annotator):
    pair = pair_with(factories.asset(), held="Skipped three times.")
    row = report(pair, annotator)
    quarantine.release(row, annotator, reason="Looked at.")
    pair.refresh_from_db()
    assert (pair.held, pair.held_before) == ("Skipped three times.", "")


def test_a_pair_with_another_video_in_quarantine_stays_until_that_is_released_too(annotator):
    pair = pair_with(factories.asset(), held="Skipped three times.")
    first, second = quarantine.report(pair, ["video_0", "video_1"], by=annotator)
    quarantine.release(first, annotator, reason="Looked at.")
    pair.refresh_from_db()
    assert pair.held == "quarantined"
    quarantine.release(second, annotator, reason="Looked at.")
    pair.refresh_from_db()
    assert pair.held == "Skipped three times."


def test_a_video_that_failed_or_was_mended_meanwhile_decides_the_hold_anew(annotator):
    broken, mended = (factories.asset(state="failed", reason="Damaged.") for _ in range(2))
    pairs = [pair_with(asset, held=readiness.MEDIA_FAILED) for asset in (broken, mended)]
    rows = [report(pair, annotator) for pair in pairs]
    Asset.objects.filter(pk=mended.pk).update(state="waiting", reason="", finished_at=None)
    for row in rows:
        quarantine.release(row, annotator, reason="Looked at.")
    assert [Pair.objects.get(pk=pair.pk).held for pair in pairs] == [readiness.MEDIA_FAILED, ""]


def test_nothing_is_released_under_a_legal_hold(annotator):
    asset = stored(factories.asset())
    row = report(pair_with(asset), annotator)
    quarantine.set_legal_hold(row, annotator, holds=True, reason="The police asked.")

    with pytest.raises(Refused):
        quarantine.release(row, annotator, reason="Too early.")
    with pytest.raises(IntegrityError), transaction.atomic():  # and whoever else writes is refused by the database
        Quarantine.objects.filter(pk=row.pk).update(released_at=timezone.now(), released_by=annotator, reason="x")

    quarantine.set_legal_hold(row, annotator, holds=False, reason="The case is closed.")
    quarantine.release(row, annotator, reason="The case is closed.")
    assert Pair.objects.usable().count() == 1


@pytest.mark.long
def test_a_legal_hold_and_a_release_at_once_never_both_happen(annotator):
    for _ in range(10):
        row = report(pair_with(factories.asset()), annotator)
        at_once(
            lambda row=row: quarantine.set_legal_hold(row, annotator, holds=True, reason="x"),
            lambda row=row: quarantine.release(row, annotator, reason="x"),
        )
        row.refresh_from_db()
        assert (row.released_at is None) != (row.legal_hold_since is None)


def test_releasing_twice_changes_nothing_more(annotator):
    row = report(pair_with(factories.asset()), annotator)
    for _ in range(2):
        quarantine.release(row, annotator, reason="Looked at.")
    assert AuditEvent.objects.filter(action="quarantine.released").count() == 1


def test_what_was_released_can_be_reported_again(client, annotator):
    asset = stored(factories.asset())
    pair = pair_with(asset)
    first = report(pair, annotator)
    quarantine.release(first, annotator, reason="Looked at.")
    second = report(pair, factories.person())
    assert second.pk != first.pk
    assert media(client, asset) == [404, 404]
    assert all(default_storage.exists(name) for name in files_apart(asset))


def test_who_reported_a_pair_does_not_take_it_away_again_after_a_release(client, annotator):
    asset = stored(factories.asset())
    pair = pair_with(asset)
    first = report(pair, annotator)
    quarantine.release(first, annotator, reason="Looked at.")
    assert report(pair, annotator).released_at is not None
    assert media(client, asset) == [200, 200]
    assert Report.objects.count() == 1


def test_the_same_referral_is_noted_once(annotator):
    row = report(pair_with(factories.asset()), annotator)
    for _ in range(2):
        quarantine.note_referral(row, annotator, to_whom="A hotline", reference="17", made_at=row.opened_at)
    assert Referral.objects.count() == 1


# --- Killed in the middle, and at the same moment -----------------------------------------------------------


@pytest.mark.long
def test_files_that_a_killed_process_left_are_moved_by_the_sweep(client, annotator):
    asset = stored(factories.asset())
    pair = pair_with(asset)
    with transaction.atomic():  # as if killed after the commit: what follows it never ran
        report(pair, annotator)
        connection.run_on_commit = []
    default_storage.move(names.poster(asset.public_id), f"{names.renditions_apart(asset.public_id)}/poster.jpg")

    assert settle_quarantines() == 1

    assert all(default_storage.exists(name) for name in files_apart(asset))
    assert settle_quarantines() == 0


def test_a_release_that_was_cut_off_shows_no_pair_before_its_files_are_back(annotator):
    asset = stored(factories.asset())
    pair = pair_with(asset)
    row = report(pair, annotator)
    with transaction.atomic():
        quarantine.release(row, annotator, reason="Looked at.")
        connection.run_on_commit = []
    pair.refresh_from_db()
    assert pair.held == "quarantined"

    settle_quarantines()

    pair.refresh_from_db()
    assert pair.held == ""
    assert all(default_storage.exists(name) for name in files_of(asset))


def test_a_report_between_a_release_and_its_files_wins(client, annotator):
    asset = stored(factories.asset())
    pair = pair_with(asset)
    row = report(pair, annotator)
    with transaction.atomic():
        quarantine.release(row, annotator, reason="Looked at.")
        connection.run_on_commit = []

    report(pair, factories.person())
    settle_quarantines()

    pair.refresh_from_db()
    assert pair.held == "quarantined"
    assert media(client, asset) == [404, 404]
    assert all(default_storage.exists(name) for name in files_apart(asset))


@pytest.mark.long
def test_reports_releases_and_sweeps_in_any_order_leave_files_where_the_rows_say(annotator):
    asset = stored(factories.asset())
    pair = pair_with(asset)

    def release_whatever_there_is():
        for row in Quarantine.objects.filter(released_at=None):
            quarantine.release(row, annotator, reason="Looked at.")

    for _ in range(8):
        results = at_once(
            lambda: report(pair, factories.person()),
            release_whatever_there_is,
            quarantine.settle_all,
            quarantine.settle_all,
        )
        assert [error for error in results if isinstance(error, Exception)] == []
        quarantine.settle_all()
        in_force = Quarantine.objects.filter(released_at=None).exists()
        asset.refresh_from_db()
        pair.refresh_from_db()
        assert (asset.quarantined_at is not None, pair.held == "quarantined") == (in_force, in_force)
        assert all(default_storage.exists(name) == in_force for name in files_apart(asset))
        assert all(default_storage.exists(name) != in_force for name in files_of(asset))


def test_storage_that_cannot_rename_copies_before_it_takes_away(annotator, monkeypatch):
    elsewhere = InMemoryStorage()
    monkeypatch.setattr(quarantine_files, "default_storage", elsewhere)
    asset = factories.asset()
    for name in files_of(asset):
        elsewhere.save(name, ContentFile(name.encode()))
    elsewhere.save(names.original_apart(asset.public_id), ContentFile(b"half of a copy that was cut off"))

    row = report(pair_with(asset), annotator)
    assert [elsewhere.exists(name) for name in files_of(asset)] == [False] * 4
    assert elsewhere.open(names.original_apart(asset.public_id)).read() == asset.original.encode()

    quarantine.release(row, annotator, reason="Looked at.")
    assert [elsewhere.open(name).read() for name in files_of(asset)] == [name.encode() for name in files_of(asset)]


# --- The wall -----------------------------------------------------------------------------------------------


def test_the_database_refuses_to_serve_a_pair_in_quarantine_whoever_writes(annotator):
    pair = pair_with(factories.asset())
    report(pair, annotator)
    with pytest.raises(IntegrityError, match="quarantine"), transaction.atomic():
        Pair.objects.filter(pk=pair.pk).update(held="", held_before="")
    with pytest.raises(IntegrityError, match="quarantine"), transaction.atomic():
        Asset.objects.filter(pk=pair.video_0.asset_id).update(quarantined_at=None)


def test_a_pair_that_is_written_while_its_video_is_reported_is_held(annotator):
    """As in an import, the pairs are not committed when the report looks for pairs to hold."""
    asset = factories.asset()
    pair = pair_with(asset)
    reporting = threading.Thread(target=in_own_connection(lambda: report(pair, annotator)))
    with transaction.atomic():
        late = pair_with(asset, pair.study)
        settle_new_pairs(pair.study, late.pk)
        reporting.start()
        wait_until_somebody_waits()
    reporting.join()
    late.refresh_from_db()
    assert late.held == "quarantined"


def test_a_pair_that_is_written_after_its_video_was_reported_is_held(annotator):
    asset = factories.asset()
    pair = pair_with(asset)
    report(pair, annotator)
    late = pair_with(asset, pair.study)
    settle_new_pairs(pair.study, late.pk)
    late.refresh_from_db()
    assert late.held == "quarantined"


def in_own_connection(work: Any) -> Any:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run


def wait_until_somebody_waits() -> None:
    """Return when PostgreSQL says that a session waits for a lock."""

    def somebody_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return bool(cursor.fetchone()[0])

    wait_for(somebody_waits, "the report did not wait for the pairs that are being written")
