"""Withdraw answers from releases: what ends, what is kept, and what comes after."""

import pytest

from accounts.models import AuditEvent
from annotation.models import Annotation
from catalog.models import Video
from diptych.refusals import BadInput, Refused
from importing import job_work, jobs
from releases import cleaning, latest, making
from releases.deletion import WITHDRAWN
from releases.models import Tombstone, Withdrawal
from releases.withdrawing import subject, used_in, withdraw
from removal import orders
from tests import factories
from tests.importing.manifests import prompts_with_videos, write
from tests.releases.releasing import accepted, answered, ask, lines, make, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(study):
    return [factories.member(study, "annotator") for _ in range(2)]


@pytest.fixture
def answers(study, people):
    """Two answers, of one person each, in an accepted lot."""
    made = [answered(study, person)[0] for person in people]
    accepted(*made)
    return made


def take_back(study, kind, key):
    return withdraw(study, subject(study, kind, key), reason="They asked for it", actor=None)


@pytest.mark.long
def test_a_withdrawal_lists_every_release_and_ends_it(study, answers):
    release = make(study)
    without = answered(study)
    lot = accepted(*without)
    other = make(study, filter=making.Filter(lots=(lot.number,)))
    key = str(Annotation.objects.get(assignment=answers[0]).pk)
    assert used_in(study, subject(study, "answer", key)) == {release: 1}
    made = take_back(study, "answer", key)
    assert [(stone.release, stone.answers) for stone in made.tombstones.all()] == [(release, 1)]
    assert latest.latest(study) == other
    with pytest.raises(Refused, match="cannot be rebuilt"):
        making.rebuild(release, None)
    release.refresh_from_db()
    assert release.manifest["counts"]["answers"] == 2
    assert AuditEvent.objects.filter(action="release.withdrawn").count() == 1


def test_latest_never_goes_back_to_a_release_that_had_the_answer(study, answers):
    make(study)
    make(study)
    take_back(study, "answer", str(Annotation.objects.get(assignment=answers[0]).pk))
    assert latest.latest(study) is None
    successor = make(study)
    assert latest.latest(study) == successor
    assert successor.items.get().annotation.assignment == answers[1]


@pytest.mark.parametrize("kind", ["video", "person of the study", "person of the release"])
def test_a_video_or_a_person_can_be_withdrawn(study, people, answers, kind):
    release = make(study)
    keys = {
        "video": answers[0].pair.video_1.public_id,
        "person of the study": making_code(study, people[0]),
        "person of the release": next(
            line["annotator_id"]
            for line in lines(release, "annotations.jsonl")
            if line["pair_id"] == answers[0].pair.public_id
        ),
    }
    made = take_back(study, kind.split()[0], keys[kind])
    assert made.tombstones.get().answers == 1
    assert make(study).items.get().annotation.author == people[1]


def making_code(study, person):
    from studies.pseudonyms import pseudonym

    return pseudonym(study, person.pk)


@pytest.mark.long
def test_withdrawing_twice_changes_nothing(study, answers):
    make(study)
    key = str(Annotation.objects.get(assignment=answers[0]).pk)
    assert take_back(study, "answer", key) == take_back(study, "answer", key)
    assert (Withdrawal.objects.count(), Tombstone.objects.count()) == (1, 1)


@pytest.mark.long
def test_a_release_that_is_being_made_ends_with_a_reason(study, answers, monkeypatch):
    release = ask(study)
    write = making.write_files

    def withdrawn_meanwhile(*arguments):
        write(*arguments)
        take_back(study, "answer", str(Annotation.objects.get(assignment=answers[0]).pk))

    monkeypatch.setattr(making, "write_files", withdrawn_meanwhile)
    making.run(release.pk)
    release.refresh_from_db()
    assert (release.state, release.manifest) == ("failed", None)
    assert "withdrawn while it was being made" in release.reason


@pytest.mark.long
def test_stored_files_of_a_withdrawn_release_are_deleted(study, answers):
    release = make(study)
    assert cleaning.remove_files() == 0
    take_back(study, "answer", str(Annotation.objects.get(assignment=answers[0]).pk))
    assert cleaning.remove_files() == release.files.count() > 5
    with pytest.raises(FileNotFoundError):
        stored(release, "annotations.jsonl")
    assert cleaning.remove_files() == 0


@pytest.mark.parametrize(("kind", "key"), [("answer", "0"), ("answer", "x"), ("video", "0" * 64), ("person", "ab")])
def test_an_unknown_key_is_refused(study, answers, kind, key):
    with pytest.raises(BadInput) as refused:
        subject(study, kind, key)
    assert refused.value.field == "key"


def test_an_import_with_a_withdrawn_video_is_not_undone_and_says_why(study, researcher, tmp_path, settings):
    """The withdrawal has to keep the video out of every later release, so the video has to stay."""
    settings.IMPORT_ROOTS = [tmp_path]
    folder = write(tmp_path / "material", prompts_with_videos(1, 2))
    job = jobs.ask(study, source="server", location=str(folder), options={}, actor=researcher)
    job_work.run(job.pk)
    job.refresh_from_db()
    assert job.state == "done"
    take_back(study, "video", Video.objects.filter(import_number=job.pk).first().public_id)
    removal = orders.undo_import(job, actor=researcher)
    assert (removal.state, removal.reason) == ("failed", WITHDRAWN)
    assert Video.objects.filter(import_number=job.pk).count() == 2
    job.refresh_from_db()
    assert job.undone_at is None
