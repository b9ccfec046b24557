"""Releasing everything that one person reported: in steps, and by a worker if there is much."""

import pytest
from django.urls import reverse

from catalog.models import Pair
from diptych.refusals import Refused
from jobs import engine
from media.models import Asset
from safety import officers, quarantine, report_releases, tasks
from safety.models import Quarantine, QuarantineAct, ReporterRelease
from safety.report_releases import POLICY
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.media.workers import empty, queued_ids
from tests.safety.test_quarantine import report

pytestmark = pytest.mark.django_db(transaction=True)

NOT_RIGHT = "None of it was illegal."


@pytest.fixture(autouse=True)
def _steps_of_two_by_a_worker(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(report_releases, "RIGHT_AWAY", 0)
    monkeypatch.setattr(report_releases, "A_STEP", 2)


@pytest.fixture
def reporter():
    """Make a person who reported five videos."""
    person = factories.person()
    for pair in factories.pairs(factories.study(), 5):
        report(pair, person)
    return person


@pytest.fixture
def officer():
    return factories.officer()


def order(reporter, officer):
    return report_releases.order(reporter.reporter.code, officer, decision=NOT_RIGHT)


def begun(job, steps):
    claimed = engine.claim(POLICY, job.pk)
    for _ in range(steps):
        report_releases.step(claimed)
    return claimed


def after(job, state):
    job.refresh_from_db()
    assert job.state == state, job.reason
    return job


def in_force():
    return Quarantine.objects.filter(released_at=None).count()


@pytest.mark.long
def test_few_are_released_at_once(reporter, officer, monkeypatch):
    monkeypatch.setattr(report_releases, "RIGHT_AWAY", 5)
    job = order(reporter, officer)
    assert (job.state, job.released, in_force()) == ("done", 5, 0)
    assert set(QuarantineAct.objects.filter(act="released").values_list("officer", "reason")) == {
        (officer.pk, NOT_RIGHT)
    }
    assert not Asset.objects.filter(quarantined_at__isnull=False).exists()
    assert not Pair.objects.exclude(held="").exists()


@pytest.mark.long
def test_many_are_left_to_a_worker(reporter, officer):
    empty("default")
    job = order(reporter, officer)
    assert (job.state, job.steps_total, in_force()) == ("waiting", 5, 5)
    assert queued_ids("default") == [job.pk]
    for _ in range(2):
        tasks.release_reports(job.pk)
    assert (after(job, "done").released, in_force(), job.fence) == (5, 0, 1)


@pytest.mark.long
def test_each_step_moves_the_row_along_and_the_next_worker_goes_on(reporter, officer):
    slow = begun(order(reporter, officer), 1)
    assert (after(slow, "running").steps, slow.released, in_force()) == (2, 2, 3)
    ReporterRelease.objects.update(heartbeat_at=slow.heartbeat_at - 2 * POLICY.abandoned_after)
    tasks.release_reports(slow.pk)
    done = after(ReporterRelease.objects.get(), "done")
    assert (done.steps, done.released, done.fence) == (5, 5, 2)
    assert QuarantineAct.objects.filter(act="released").count() == 5
    with pytest.raises(engine.TakenOver):
        report_releases.step(engine.claim(POLICY, slow.pk) or slow)


@pytest.mark.long
def test_what_was_reported_later_is_not_meant(reporter, officer):
    job = begun(order(reporter, officer), 1)
    report(factories.pair(factories.study()), reporter)
    engine.work_on(POLICY, job, report_releases.work)
    assert (after(job, "done").released, in_force()) == (5, 1)


@pytest.mark.long
def test_what_may_not_be_released_meanwhile_stays(reporter, officer):
    job = begun(order(reporter, officer), 1)
    left = Quarantine.objects.filter(released_at=None).order_by("asset")
    held, shared, free = left
    quarantine.set_legal_hold(held, officer, holds=True, reason="The police asked for it.")
    report(Pair.objects.get(video_0__asset=shared.asset_id), factories.person())
    engine.work_on(POLICY, job, report_releases.work)
    assert after(job, "done").released == 3
    assert set(Quarantine.objects.filter(released_at=None)) == {held, shared}
    free.refresh_from_db()
    assert free.released_by == officer


@pytest.mark.long
def test_an_officer_who_was_dismissed_meanwhile_releases_nothing_more(reporter, officer):
    job = begun(order(reporter, officer), 1)
    officers.dismiss(officer.appointments.get(), by=None)
    engine.work_on(POLICY, job, report_releases.work)
    assert (after(job, "done").released, in_force()) == (2, 3)


@pytest.mark.long
def test_one_release_of_a_code_at_a_time(reporter, officer):
    outcomes = at_once(*[lambda: order(reporter, officer)] * 3)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused", "Refused", "ReporterRelease"]
    with pytest.raises(Refused, match="Wait until the release has ended"):
        order(reporter, factories.officer())


@pytest.mark.long
def test_stopped_it_ends_before_its_next_step(reporter, officer):
    job = begun(order(reporter, officer), 1)
    for _ in range(2):
        report_releases.cancel(job)
    engine.work_on(POLICY, job, report_releases.work)
    assert (after(job, "cancelled").released, in_force()) == (2, 3)


@pytest.mark.long
def test_the_page_shows_it_until_it_has_ended(reporter, officer):
    code = reporter.reporter.code
    client, page = factories.with_second_factor(officer), reverse("safety:reporter", args=[code])

    def text(response):
        return " ".join(response.content.decode().split())

    shown = text(client.post(page, {"reason": NOT_RIGHT}, follow=True))
    assert "0 of 5 reports" in shown
    assert "Release 5 reports" not in shown
    begun(ReporterRelease.objects.get(), 1)
    live = client.get(reverse("safety:release_progress", args=[code])).json()
    assert (live["version"], live["steps"], live["total"]) == ("running", 2, 5)
    shown = text(client.post(reverse("safety:cancel_release", args=[code]), follow=True))
    assert "Being cancelled" in shown
    engine.work_on(POLICY, ReporterRelease.objects.get(), report_releases.work)
    shown = text(client.get(page))
    assert "2 reports are released." in shown
    assert "Release 3 reports" in shown
