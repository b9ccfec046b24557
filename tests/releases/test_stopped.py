"""A release whose worker is killed, whose storage fails, and that people answer meanwhile."""

import errno
import uuid
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from annotation import revisions
from annotation.answers import Answers
from annotation.models import Annotation
from diptych.refusals import Refused
from jobs import engine
from jobs.engine import Cancelled
from releases import freezing, items, latest, making
from releases.folders import StoredFolder
from releases.models import Release, ReleaseFile
from releases.withdrawing import subject, withdraw
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.releases.releasing import accepted, answered, ask, lines, make, stored

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone: no handler of an error runs."""


@pytest.fixture
def whole(study):
    """A release that nothing stopped, for comparison."""
    accepted(*answered(study, pairs=3))
    return make(study)


def abandoned(release):
    """Let the release look as though its worker's heartbeat stopped a minute ago."""
    Release.objects.filter(pk=release.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=1))


def die(*_arguments, **_options):
    raise Killed


@pytest.mark.long
@pytest.mark.parametrize("at", [0, 1, 3, 5, 6, "stored"])
def test_a_release_that_is_killed_anywhere_ends_with_the_same_bytes(study, whole, monkeypatch, at):
    """It is killed after its items (0), while it writes the file with this number, or before it records a file."""
    release = ask(study, parent=whole.number)
    add, number = StoredFolder.add, 0

    def killed_later(folder, path, write):
        nonlocal number
        number += 1
        add(folder, path, (lambda file: (write(file), die())) if number == at else write)

    if at == "stored":
        monkeypatch.setattr(ReleaseFile, "save", die)
    elif at:
        monkeypatch.setattr(StoredFolder, "add", killed_later)
    else:
        monkeypatch.setattr(making, "write_files", die)
    with pytest.raises(Killed):
        making.run(release.pk)
    monkeypatch.undo()
    release.refresh_from_db()
    assert (release.state, release.items.count()) == ("running", 3)
    abandoned(release)
    making.run(release.pk)
    release.refresh_from_db()
    assert (release.state, release.fence, release.items.count()) == ("done", 2, 3)
    for path in ("pairs.jsonl", "tv_pairs.jsonl", "prompts.jsonl"):
        assert stored(release, path) == stored(whole, path)
    assert release.manifest["parent"] == {"release": whole.number, "added": 0, "removed": 0, "changed": 0}


@pytest.mark.long
def test_a_worker_that_lost_its_claim_writes_nothing(study, whole):
    release = ask(study)
    late = engine.claim(making.POLICY, release.pk)
    abandoned(release)
    making.run(release.pk)
    files = list(ReleaseFile.objects.filter(release=release).values_list("pk", flat=True))
    with pytest.raises(engine.TakenOver):
        freezing.freeze(making.POLICY, late)
    with pytest.raises(engine.TakenOver):
        making.work(late)
    assert list(ReleaseFile.objects.filter(release=release).values_list("pk", flat=True)) == files
    assert release.items.count() == 3


@pytest.mark.long
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError("away")])
def test_a_storage_that_fails_puts_the_release_back(study, whole, monkeypatch, error):
    release = ask(study)

    def fails(*_arguments, **_options):
        raise error

    monkeypatch.setattr(default_storage._wrapped, "save", fails)
    making.run(release.pk)
    monkeypatch.undo()
    release.refresh_from_db()
    assert (release.state, release.files.count(), release.items.count()) == ("waiting", 0, 3)
    assert release.reason
    Release.objects.filter(pk=release.pk).update(wait_until=None)
    making.run(release.pk)
    assert lines(release, "pairs.jsonl") == lines(whole, "pairs.jsonl")


@pytest.mark.long
def test_a_release_can_be_cancelled_between_two_chunks(study, whole, monkeypatch):
    monkeypatch.setattr(items, "CHUNK", 1)
    release = ask(study)
    claimed = engine.claim(making.POLICY, release.pk)
    freezing.freeze(making.POLICY, claimed)
    seen = 0

    class AskedToStop(making.Progress):
        def advance(self, steps=1):
            nonlocal seen
            seen += steps
            if seen == 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        list(items.Items(claimed, AskedToStop()).current())
    assert seen == 2


@pytest.mark.long
def test_chunks_do_not_change_the_bytes(study, whole, monkeypatch, tmp_path):
    monkeypatch.setattr(items, "CHUNK", 1)
    assert making.rebuild(whole, tmp_path) == []


def revise(answered_one, person):
    """Change a submitted answer, as its annotator does."""
    body = factories.body(harmlessness={"video_0": {"tags": []}, "video_1": {"tags": ["crime"]}, "overall": "video_0"})
    revisions.revise(
        answered_one,
        person,
        submission_id=uuid.uuid4(),
        answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
        timings_ms=body["timings_ms"],
        viewing=body["viewing"],
        reason="reopened",
    )


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_release_agrees_with_itself_while_people_answer(tmp_path):
    study = factories.study()
    people = [factories.member(study, "annotator") for _ in range(20)]
    factories.pairs(study, 240)
    accepted(*(factories.answer(person, study) for person in people))
    made = []

    def work(person):
        for _pair in range(6):
            answered_one = factories.answer(person, study)
            revise(answered_one, person)
        connection.close()

    def release():
        made.append(make(study, filter=making.Filter(decisions=("accepted", "none"))))
        connection.close()

    ended = at_once(release, *(lambda person=person: work(person) for person in people))
    assert [error for error in ended if isinstance(error, Exception)] == []
    assert Annotation.objects.filter(revision=2).count() == 120
    [one] = made
    assert one.state == "done"
    assert 20 <= one.items.count() == one.counts["revisions"] == len(lines(one, "annotations.jsonl"))
    passed = [stage["answers"] for stage in one.funnel]
    assert passed[0] - sum(sum(stage["left_out"].values()) for stage in one.funnel) == passed[-1]
    assert making.rebuild(one, tmp_path) == []


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_orders_at_once_one_is_made():
    study = factories.study()
    accepted(*answered(study))
    results = at_once(*[lambda: ask(study)] * 2)
    refused = [one for one in results if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["busy"]
    assert Release.objects.count() == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_attempt", range(3))
def test_a_withdrawal_at_the_same_moment_leaves_no_release_with_the_answer(_attempt):
    study = factories.study()
    first, second = answered(study, pairs=2)
    accepted(first, second)
    release = ask(study)
    of = subject(study, "answer", str(first.standing.current_id))
    at_once(lambda: making.run(release.pk), lambda: withdraw(study, of, reason="Asked", actor=None))
    release.refresh_from_db()
    has_it = release.items.filter(annotation=first.standing.current).exists()
    assert release.tombstones.exists() == has_it
    assert release.items.filter(annotation=second.standing.current).exists()
    assert latest.latest(study) == (None if has_it else release)
