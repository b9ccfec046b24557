"""Many reports by one person: the first five hide everywhere, and further ones hold a pair until somebody agrees."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from catalog.models import Pair
from media.models import Asset
from safety import quarantine
from safety.models import Quarantine, Report
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.safety.test_quarantine import pair_with, report

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def officer() -> Any:
    return factories.officer()


@pytest.fixture
def reporter() -> Any:
    """Make a person with five reports that nobody confirmed."""
    person = factories.person()
    for pair in factories.pairs(factories.study(), 5):
        assert report(pair, person).everywhere_at is not None
    return person


def hidden(asset: Asset) -> bool:
    asset.refresh_from_db()
    return asset.quarantined_at is not None


def held(*pairs: Pair) -> list[bool]:
    return [Pair.objects.get(pk=pair.pk).held == "quarantined" for pair in pairs]


@pytest.mark.long
def test_the_sixth_report_holds_the_pair_and_nothing_else(reporter):
    asset = factories.asset()
    pair, elsewhere = pair_with(asset), pair_with(asset)
    beside = pair_with(asset, pair.study)
    report(pair, reporter)
    assert held(pair, elsewhere, beside) == [True, False, False]
    assert not hidden(asset)


@pytest.mark.long
@pytest.mark.parametrize("reported", ["source", "copy"])
def test_a_video_and_its_copies_are_hidden_together(reported):
    pair = factories.pair(factories.study())
    copy = factories.video(pair.prompt, derived_from=pair.video_0)
    videos = {"video_0": pair.video_0, "video_1": copy}
    control = factories.pair(pair.study, prompt=pair.prompt, **videos, kind="control", expected={"tie": False})
    chosen, which = (pair, ["video_0"]) if reported == "source" else (control, ["video_1"])
    quarantine.report(chosen, which, by=factories.person())
    assert (hidden(pair.video_0.asset), hidden(copy.asset), hidden(pair.video_1.asset)) == (True, True, False)
    assert held(pair, control) == [True, True]


@pytest.mark.long
def test_reports_count_over_all_studies_and_for_thirty_days(reporter):
    assert report(factories.pair(factories.study()), reporter).everywhere_at is None
    age(reporter, timedelta(days=31))
    assert report(factories.pair(factories.study()), reporter).everywhere_at is not None


def age(person: Any, by: timedelta) -> None:
    """Move the person's reports into the past, which the table itself refuses."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE safety_report SET reported_at = reported_at - %s WHERE person_id = %s", [by, person.pk])
        cursor.execute("RESET session_replication_role")


@pytest.mark.long
@pytest.mark.parametrize("how", ["referral", "legal hold", "confirm"])
def test_what_an_officer_confirmed_does_not_count(reporter, officer, how):
    first = Quarantine.objects.order_by("pk")[0]
    if how == "referral":
        quarantine.note_referral(first, officer, to_whom="A hotline", reference="", made_at=timezone.now())
    elif how == "legal hold":
        quarantine.set_legal_hold(first, officer, holds=True, reason="The police asked.")
    else:
        quarantine.confirm(first, officer)
    assert report(factories.pair(factories.study()), reporter).everywhere_at is not None
    assert report(factories.pair(factories.study()), reporter).everywhere_at is None


@pytest.mark.long
def test_what_an_officer_released_counts(reporter, officer):
    for row in Quarantine.objects.all():
        quarantine.release(row, officer, reason="Looked at.")
    assert report(factories.pair(factories.study()), reporter).everywhere_at is None


@pytest.mark.long
def test_both_videos_of_one_press_count_each(officer):
    person = factories.person()
    for pair in factories.pairs(factories.study(), 3):
        quarantine.report(pair, ["video_0", "video_1"], by=person)
    assert Quarantine.objects.filter(everywhere_at__isnull=False).count() == 5


@pytest.mark.long
def test_a_second_person_makes_it_count_everywhere_also_one_with_many_reports(reporter):
    second = factories.person()
    for pair in factories.pairs(factories.study(), 5):
        report(pair, second)
    asset = factories.asset()
    pair, elsewhere = pair_with(asset), pair_with(asset)
    first = report(pair, reporter)

    assert report(elsewhere, second).pk == first.pk

    assert hidden(asset)
    assert held(pair, elsewhere) == [True, True]
    assert AuditEvent.objects.filter(action="asset.quarantined", subject_id=str(first.pk)).count() == 2


@pytest.mark.long
def test_the_same_person_through_two_studies_is_no_second_person(reporter):
    asset = factories.asset()
    pair, elsewhere, third = pair_with(asset), pair_with(asset), pair_with(asset)
    assert report(pair, reporter).pk == report(elsewhere, reporter).pk
    assert held(pair, elsewhere, third) == [True, True, False]
    assert not hidden(asset)


@pytest.mark.long
@pytest.mark.parametrize("how", ["referral", "legal hold", "confirm"])
def test_an_officer_makes_it_count_everywhere(reporter, officer, how):
    asset = factories.asset()
    pair, elsewhere = pair_with(asset), pair_with(asset)
    row = report(pair, reporter)
    if how == "referral":
        quarantine.note_referral(row, officer, to_whom="A hotline", reference="", made_at=timezone.now())
    elif how == "legal hold":
        quarantine.set_legal_hold(row, officer, holds=True, reason="The police asked.")
    else:
        quarantine.confirm(row, officer)
    assert hidden(asset)
    assert held(pair, elsewhere) == [True, True]


@pytest.mark.long
def test_a_release_frees_the_pair_as_it_was(reporter, officer):
    pair = pair_with(factories.asset(), held="Skipped three times.")
    row = report(pair, reporter)
    assert held(pair) == [True]
    quarantine.release(row, officer, reason="Looked at.")
    assert Pair.objects.get(pk=pair.pk).held == "Skipped three times."


@pytest.mark.long
def test_a_release_leaves_a_pair_that_another_report_holds(reporter, officer):
    pair = factories.pair(factories.study())
    first, second = quarantine.report(pair, ["video_0", "video_1"], by=reporter)
    quarantine.release(first, officer, reason="Looked at.")
    assert held(pair) == [True]
    quarantine.release(second, officer, reason="Looked at.")
    assert held(pair) == [False]


@pytest.mark.long
def test_a_report_that_waits_keeps_its_pair_while_the_other_video_is_released_from_everywhere(reporter, officer):
    pair = factories.pair(factories.study())
    everywhere = report(pair, factories.person(), "video_0")
    waits = report(pair, reporter, "video_1")
    assert waits.everywhere_at is None
    quarantine.release(everywhere, officer, reason="Looked at.")
    assert held(pair) == [True]
    with pytest.raises(IntegrityError, match="quarantine"), transaction.atomic():  # whoever writes
        Pair.objects.filter(pk=pair.pk).update(held="", held_before="")


@pytest.mark.long
def test_a_report_that_only_holds_between_a_release_and_its_files_lets_the_others_go(reporter, officer):
    asset = factories.asset()
    pair, elsewhere = pair_with(asset), pair_with(asset)
    row = report(pair, factories.person())
    with transaction.atomic():
        quarantine.release(row, officer, reason="Looked at.")
        connection.run_on_commit = []
    report(pair, reporter)
    quarantine.settle_all()
    assert held(pair, elsewhere) == [True, False]
    assert not hidden(asset)


@pytest.mark.long
def test_repeating_a_report_that_holds_changes_nothing(reporter):
    pair = factories.pair(factories.study())
    row = report(pair, reporter)
    assert report(pair, reporter) == row
    assert Report.objects.filter(pair=pair).count() == 1
    assert AuditEvent.objects.filter(action="asset.held_in_study").count() == 1


@pytest.mark.long
def test_reporters_and_officers_at_once_neither_wait_for_each_other_nor_lose_a_pair(officer):
    """They report two pairs with each other's videos, from both sides, and release them meanwhile."""
    for _ in range(8):
        study = factories.study()
        prompt = factories.prompt(study)
        shown = [factories.video(prompt) for _ in range(3)]
        pairs = [
            factories.pair(study, prompt=prompt, video_0=shown[first], video_1=shown[second])
            for first, second in [(0, 1), (2, 1), (2, 0)]
        ]
        people = [factories.person() for _ in range(3)]
        results = at_once(
            *[
                lambda pair=pair, by=by: quarantine.report(pair, ["video_0", "video_1"], by=by)
                for pair, by in zip(pairs, people, strict=True)
            ],
            lambda: [
                quarantine.release(row, officer, reason="x") for row in Quarantine.objects.filter(released_at=None)
            ],
            quarantine.settle_all,
        )
        assert [error for error in results if isinstance(error, Exception)] == []
        release_all(officer)
        quarantine.settle_all()
        assert held(*pairs) == [False, False, False]


def release_all(officer: Any) -> None:
    for row in Quarantine.objects.filter(released_at=None):
        quarantine.release(row, officer, reason="Looked at.")
