"""`manage.py retry_media`: failed videos are prepared again, and pairs held because of them are released."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from catalog import readiness
from jobs import engine
from media import transcoding
from media.models import Asset
from tests import factories
from tests.media.workers import told

pytestmark = pytest.mark.django_db


def failed(**values):
    return factories.asset(state="failed", reason="It ends in the middle.", attempts=5, fence=7, **values)


def pair_with(study, first, second=None, held=readiness.MEDIA_FAILED):
    prompt = factories.prompt(study)
    videos = {"video_0": factories.video(prompt, asset=first), "video_1": factories.video(prompt, asset=second)}
    return factories.pair(study, prompt=prompt, ready=False, held=held, **videos)


def retry(study, *arguments):
    out = StringIO()
    call_command("retry_media", "--study", study.slug, *arguments, stdout=out)
    return out.getvalue()


def test_a_failed_video_waits_again_and_its_pair_is_held_no_more(study):
    broken = failed()
    pair = pair_with(study, broken)

    assert retry(study) == f"Videos of {study.slug} that are prepared again: 1. Pairs released: 1.\n"

    broken.refresh_from_db()
    pair.refresh_from_db()
    assert (broken.state, broken.reason, broken.attempts, broken.fence) == ("waiting", "", 0, 7)
    assert (pair.held, pair.ready) == ("", False)
    assert transcoding.claim().fence == 8
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.study_slug) == ("media.retried", None, study.slug)
    assert event.after == {"videos": 1, "pairs": 1}


def test_a_pair_held_for_another_reason_stays_held(study):
    pair = pair_with(study, failed(), held="A reviewer asked for it.")
    assert json.loads(retry(study, "--json")) == {"study": study.slug, "videos": 1, "pairs": 0}
    pair.refresh_from_db()
    assert pair.held == "A reviewer asked for it."


@pytest.mark.long
def test_pairs_of_other_studies_with_the_same_file_are_held_no_more_either(study):
    broken = failed()
    mine, theirs = pair_with(study, broken), pair_with(factories.study(), broken)
    unrelated = pair_with(factories.study(), failed())

    assert json.loads(retry(study, "--json")) == {"study": study.slug, "videos": 1, "pairs": 2}

    for pair in (mine, theirs, unrelated):
        pair.refresh_from_db()
    assert (mine.held, theirs.held, unrelated.held) == ("", "", readiness.MEDIA_FAILED)
    assert set(AuditEvent.objects.values_list("study_slug", flat=True)) == {mine.study.slug, theirs.study.slug}
    assert Asset.objects.filter(state="failed").count() == 1


def test_a_pair_of_another_study_with_another_failed_video_stays_held(study):
    broken = failed()
    factories.video(factories.prompt(study), asset=broken)
    theirs = pair_with(factories.study(), broken, failed())
    assert json.loads(retry(study, "--json")) == {"study": study.slug, "videos": 1, "pairs": 0}
    theirs.refresh_from_db()
    assert theirs.held == readiness.MEDIA_FAILED


def test_a_video_that_fails_again_holds_its_pair_again(study):
    broken = failed()
    pair = pair_with(study, broken)
    retry(study)
    again = transcoding.claim()
    engine.end(transcoding.POLICY, again.pk, again.fence, "failed", reason="It still ends in the middle.")
    pair.refresh_from_db()
    assert pair.held == readiness.MEDIA_FAILED


def test_workers_are_told_after_the_commit(study, django_capture_on_commit_callbacks):
    told()
    broken = failed()
    pair_with(study, broken)
    with django_capture_on_commit_callbacks(execute=True):
        retry(study)
        assert told() == []
    assert told() == [broken.pk]


def test_nothing_to_try_again(study):
    factories.video(factories.prompt(study))
    assert retry(study) == f"No video of {study.slug} has failed.\n"
    assert json.loads(retry(study, "--json")) == {"study": study.slug, "videos": 0, "pairs": 0}
    assert not AuditEvent.objects.exists()


def test_no_such_study(db):
    with pytest.raises(CommandError, match="There is no study 'nothing'") as caught:
        call_command("retry_media", "--study", "nothing")
    assert caught.value.returncode == 2
