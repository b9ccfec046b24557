"""Reports of illegal content while people work: leases end, slots return, nothing is lost, nobody waits forever."""

import threading
import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.tokens import issue_token
from annotation import quarantining, serving, skipping, submission
from annotation.models import Annotation, Assignment, Exposure
from annotation.tasks import end_quarantined_leases
from answers.study_progress import progress
from catalog.models import Pair
from diptych.refusals import Refused
from media import names
from media.models import Asset
from safety import quarantine, report_releases
from safety.models import Quarantine, Report
from tests import factories
from tests.annotation.test_concurrency import ANSWERS, at_once, wrongly_counted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def study() -> Any:
    return factories.study(harmless_after=0)


def address(assignment: Any) -> str:
    return f"/api/v1/assignments/{assignment.pk}/report/"


def pairs_sharing_a_video(study: Any, count: int, **values: Any) -> tuple[Any, list[Pair]]:
    """Return pairs of one prompt that all have one video in common, and its asset."""
    prompt = factories.prompt(study)
    shared = factories.video(prompt)
    return shared.asset, [factories.pair(study, prompt=prompt, video_0=shared, **values) for _ in range(count)]


def submit(assignment: Any, person: Any, **values: Any) -> Any:
    return submission.submit(
        assignment, person, submission_id=uuid.uuid4(), answers=ANSWERS, timings_ms={}, viewing={}, **values
    )


def state(assignment: Any) -> str:
    return Assignment.objects.get(pk=assignment.pk).state


def test_a_report_returns_the_next_pairs_and_has_no_penalty(api, study):
    pairs = factories.pairs(study, 3)
    person = factories.member(study, "annotator")
    leased = serving.lease(person, study)

    response = api(person).post(address(leased.current), {"videos": ["video_0"]}, format="json")

    assert response.status_code == 200, response.content
    assert response.json()["current"]["pair_id"] == pairs[1].public_id
    assert state(leased.current) == "released"
    assert Report.objects.get().person == person
    assert not AuditEvent.objects.filter(action="assignment.skipped").exists()
    assert not wrongly_counted(study).exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"videos": []}, {"videos": ["left"]}, {"videos": ["video_0"] * 3}, {"videos": "video_0", "why": "x"}],
)
def test_a_report_accepts_only_the_videos(api, study, body):
    factories.pair(study)
    person = factories.member(study, "annotator")
    response = api(person).post(address(serving.lease(person, study).current), body, format="json")
    assert response.status_code == 400
    assert not Quarantine.objects.exists()


def test_leases_of_every_pair_with_the_bytes_end_for_everybody_in_every_study(study):
    asset, _ = pairs_sharing_a_video(study, 2, wanted=3)
    elsewhere = factories.study()
    prompt = factories.prompt(elsewhere)
    factories.pair(elsewhere, prompt=prompt, video_1=factories.video(prompt, asset=asset))
    people = [factories.member(study, "annotator") for _ in range(3)]
    stranger = factories.member(elsewhere, "annotator")
    all_leased = [serving.lease(person, study) for person in people]
    far = serving.lease(stranger, elsewhere).current

    reported = quarantining.report(all_leased[0].current, people[0], videos=["video_0"])

    assert (reported.leased.current, reported.outcome) == (None, "hidden")
    assert not Assignment.objects.filter(state="leased").exists()
    assert state(far) == "released"
    assert set(Pair.objects.values_list("held", flat=True)) == {"quarantined"}
    assert not wrongly_counted(study).exists()
    assert serving.lease(stranger, elsewhere).current is None


def test_people_who_had_the_pair_may_finish_it_and_the_answer_is_kept_but_not_counted(study):
    pair = factories.pair(study, wanted=2)
    reporter, other = (factories.member(study, "annotator") for _ in range(2))
    had = serving.lease(other, study).current
    quarantining.report(serving.lease(reporter, study).current, reporter, videos=["video_1"])

    submitted = submit(had, other)

    assert Annotation.objects.count() == 1
    assert (submitted.standing.counted, submitted.standing.uncounted_reason) == (False, "surplus")
    pair.refresh_from_db()
    assert pair.open_slots == 2


def test_a_lost_lease_of_a_reported_pair_cannot_be_renewed(study):
    factories.pair(study, wanted=2)
    reporter, other = (factories.member(study, "annotator") for _ in range(2))
    had = serving.lease(other, study).current
    quarantining.report(serving.lease(reporter, study).current, reporter, videos=["video_1"])
    with pytest.raises(Refused):
        serving.renew(had, other)


def test_reporting_twice_and_after_submitting_is_harmless(study):
    factories.pairs(study, 2)
    person = factories.member(study, "annotator")
    leased = serving.lease(person, study)
    submit(leased.current, person)
    for _ in range(2):
        quarantining.report(leased.current, person, videos=["video_0"])
    assert state(leased.current) == "submitted"
    assert Quarantine.objects.count() == Report.objects.count() == 1
    assert not wrongly_counted(study).exists()


def test_a_reported_pair_is_out_of_the_download_and_counted_as_held(api, study, researcher):
    factories.pairs(study, 2)
    person = factories.member(study, "annotator")
    first = serving.lease(person, study).current
    submit(first, person)
    second = serving.lease(person, study).current
    submit(second, person)
    row = quarantine.report(first.pair, ["video_0"], by=person)[0]

    def downloaded() -> int:
        response = api(researcher).get(f"/api/v1/studies/{study.slug}/annotations.jsonl")
        return len(response.getvalue().splitlines())

    assert downloaded() == 1
    assert (progress(study).pairs, progress(study).pairs_held, progress(study).answers_counted) == (1, 0, 1)
    quarantine.release(row, factories.officer(), reason="Looked at.")
    assert downloaded() == 2
    assert (progress(study).pairs, progress(study).answers_counted) == (2, 2)


def test_after_a_release_the_pair_is_served_again(study):
    pair = factories.pair(study)
    person, other = (factories.member(study, "annotator") for _ in range(2))
    quarantining.report(serving.lease(person, study).current, person, videos=["video_0"])
    assert serving.lease(other, study).current is None
    quarantine.release(Quarantine.objects.get(), factories.officer(study), reason="Looked at.")
    assert serving.lease(other, study).current.pair_id == pair.pk


def test_the_exposure_of_a_reported_pair_is_recorded_once(study):
    factories.pair(study, may_show=["violence"])
    person = factories.member(study, "annotator")
    current = serving.lease(person, study).current
    care = {"revealed_s": {"video_0": 1.5, "video_1": 1.0}, "hidden": 1}
    for _ in range(2):
        quarantining.report(current, person, videos=["video_0"], care=care)
    exposure = Exposure.objects.get()
    assert (exposure.revealed_s, exposure.hidden) == (2.5, 1)


def test_a_lease_that_is_locked_at_that_moment_is_ended_by_the_sweep(study):
    """The owner of the lease has locked the row, so the report skips it and does not wait."""
    pair = factories.pair(study, wanted=2)
    reporter, other = (factories.member(study, "annotator") for _ in range(2))
    had, own = (serving.lease(person, study).current for person in (other, reporter))
    reporting = threading.Thread(target=closing(lambda: quarantining.report(own, reporter, videos=["video_0"])))
    with transaction.atomic():
        Assignment.objects.select_for_update().get(pk=had.pk)
        reporting.start()
        reporting.join(30)
        assert not reporting.is_alive()
    assert state(had) == "leased"

    assert end_quarantined_leases() == 1

    assert state(had) == "released"
    pair.refresh_from_db()
    assert pair.open_slots == 2


def closing(work: Any) -> Any:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run


@pytest.mark.long
def test_reports_and_everything_that_people_do_at_once_neither_lose_nor_deadlock(settings, tmp_path):
    """Seats, assignments, assets and pairs are locked in all orders; every answer is stored and every slot is right."""
    settings.MEDIA_ROOT = tmp_path
    for _ in range(6):
        everything_at_once()


def everything_at_once() -> None:
    study = factories.study(harmless_after=0)
    asset, shared = pairs_sharing_a_video(study, 3, wanted=3)
    default_storage.save(names.playback(asset.public_id), ContentFile(b"media"))
    factories.pairs(study, 3, wanted=3)
    first, second, third, fourth, fifth, sixth = (factories.member(study, "annotator") for _ in range(6))
    had = {person.pk: serving.lease(person, study).current for person in (first, second, third, fourth, fifth, sixth)}

    results = at_once(
        lambda: quarantining.report(had[first.pk], first, videos=["video_0", "video_1"]),
        lambda: quarantining.report(had[second.pk], second, videos=["video_1", "video_0"]),
        lambda: submit(had[third.pk], third, lease_next=True),
        lambda: skipping.skip(had[fourth.pk], fourth, reason="cannot_judge"),
        lambda: serving.lease(fifth, study),
        lambda: serving.release(had[sixth.pk], sixth),
        quarantine.settle_all,
        quarantining.end_leases,
    )

    assert [error for error in results if isinstance(error, Exception)] == []
    assert Annotation.objects.filter(study=study).count() == 1
    held = Pair.objects.filter(pk__in=[pair.pk for pair in shared]).values_list("held", flat=True)
    assert set(held) == {"quarantined"}
    end_quarantined_leases()
    assert not Assignment.objects.filter(state="leased", pair__held="quarantined").exists()
    assert not wrongly_counted(study).exists()


# --- Only what was shown ------------------------------------------------------------------------------------


def reporting(api: Any, person: Any, assignment: Any) -> Any:
    return api(person).post(address(assignment), {"videos": ["video_0"]}, format="json")


def test_the_next_pair_cannot_be_reported_before_it_is_shown(api, study):
    factories.pairs(study, 3)
    person = factories.member(study, "annotator")
    leased = serving.lease(person, study)

    refused = reporting(api, person, leased.next)

    assert (refused.status_code, refused.json()["code"]) == (403, "not_shown")
    assert not Report.objects.exists()
    assert Pair.objects.usable().count() == 3


def test_a_pair_that_was_released_before_it_was_shown_cannot_be_reported(api, study):
    factories.pairs(study, 3)
    person = factories.member(study, "annotator")
    leased = serving.lease(person, study)
    serving.release(leased.next, person)
    serving.release(leased.current, person)
    assert reporting(api, person, leased.next).status_code == 403
    assert reporting(api, person, leased.current).status_code == 200
    assert Report.objects.get().pair == leased.current.pair


def test_a_pair_that_the_page_showed_offline_can_be_reported(api, study):
    """Offline the page showed the next pair. The answer before it arrives first, and leases nothing."""
    factories.pairs(study, 3)
    person = factories.member(study, "annotator")
    leased = serving.lease(person, study)
    submit(leased.current, person)
    assert reporting(api, person, leased.next).status_code == 200
    assert Assignment.objects.get(pk=leased.next.pk).shown_at is not None


@pytest.mark.parametrize("state", ["submitted", "skipped", "expired", "released"])
def test_a_shown_pair_can_be_reported_in_any_later_state(api, study, state):
    pair = factories.pair(study)
    person = factories.member(study, "annotator")
    reason = {"skip_reason": "cannot_judge"} if state == "skipped" else {}
    had = factories.assignment(study, person, pair, state=state, shown_at=timezone.now(), **reason)
    assert reporting(api, person, had).json()["report"] == "hidden"


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_reporting_works_in_every_state_of_the_study(api, study, state):
    factories.pair(study)
    person = factories.member(study, "annotator")
    current = serving.lease(person, study).current
    type(study).objects.filter(pk=study.pk).update(state=state)
    assert reporting(api, person, current).status_code == 200
    assert Quarantine.objects.exists()


# --- Mass reporting -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_reporting_every_pair_with_one_token_takes_five_videos_from_other_studies(api, study):
    """Repeat, with fewer pairs, the attack that took all 300 pairs of two studies out of service in 26 s."""
    elsewhere = factories.study()
    person = factories.member(study, "annotator")
    for pair in factories.pairs(study, 20):
        about = factories.prompt(elsewhere)
        videos = {name: factories.video(about, asset=getattr(pair, name).asset) for name in ("video_0", "video_1")}
        factories.pair(elsewhere, prompt=about, **videos)
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(person, scopes=['annotate'])}")

    outcomes = []
    current = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()["current"]
    while current:
        body = {"videos": ["video_0", "video_1"]}
        answer = client.post(f"/api/v1/assignments/{current['id']}/report/", body, format="json").json()
        current = answer["current"]
        outcomes.append(answer["report"])

    assert len(outcomes) == 20
    assert outcomes.count("hidden") == 2  # both videos of two pairs, and one of the third
    assert Asset.objects.filter(quarantined_at__isnull=False).count() == 5
    assert Pair.objects.usable().filter(study=study).count() == 0
    assert Pair.objects.usable().filter(study=elsewhere).count() == 17
    assert not wrongly_counted(study).exists()

    code = person.reporter.code
    release = report_releases.order(code, factories.officer(), decision="None of it was illegal.")
    report_releases.run(release.pk)
    release.refresh_from_db()
    assert (release.state, release.released) == ("done", 40)
    assert Pair.objects.usable().count() == 40
    assert not Asset.objects.filter(quarantined_at__isnull=False).exists()


@pytest.mark.long
def test_reports_at_once_of_one_person_hide_no_more_than_five(study):
    person = factories.member(study, "annotator")
    pairs = factories.pairs(study, 12)
    shown = [factories.assignment(study, person, pair, shown_at=timezone.now()) for pair in pairs]
    results = at_once(*[lambda had=had: quarantining.report(had, person, videos=["video_0"]) for had in shown])
    assert [error for error in results if isinstance(error, Exception)] == []
    assert Asset.objects.filter(quarantined_at__isnull=False).count() == 5
    assert Report.objects.filter(hides=True).count() == 5


def test_a_held_pair_disappears_from_pages_and_downloads_of_its_study(api, study, researcher):
    pair = factories.pair(study, wanted=3)
    reporter, other, third = (factories.member(study, "annotator") for _ in range(3))
    submit(serving.lease(third, study).current, third)
    had, own = (serving.lease(person, study).current for person in (other, reporter))
    used_up(reporter)

    reported = quarantining.report(own, reporter, videos=["video_0"])

    assert reported.outcome == "held"
    assert state(had) == "released"
    downloaded = api(researcher).get(f"/api/v1/studies/{study.slug}/annotations.jsonl")
    assert downloaded.getvalue() == b""
    pair.refresh_from_db()
    assert pair.held == "quarantined"
    pair.video_0.asset.refresh_from_db()
    assert pair.video_0.asset.quarantined_at is None
    quarantine.release(Quarantine.objects.get(asset=pair.video_0.asset), factories.officer(study), reason="Looked at.")
    assert serving.lease(other, study).current.pair_id == pair.pk


def used_up(person: Any) -> None:
    """Let the person make the five reports that hide videos everywhere, in another study."""
    for pair in factories.pairs(factories.study(), 5):
        quarantine.report(pair, ["video_0"], by=person)
