"""Identical re-encodes with real ffmpeg: other bytes, the same picture, and a pair that waits for its copy."""

import pytest
from django.core.files.storage import default_storage

from catalog.models import Video
from controls import making
from controls.models import Control, ControlsRun
from controls.tasks import make_controls
from media import transcoding
from media.models import Asset
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_a_video_stands_beside_a_copy_with_other_bytes_and_the_same_length(study, researcher, playable_pairs):
    [pair] = playable_pairs(study, 1, clips=("moving", "moving"))
    assert making.possible(study, "reencoded") == 2
    job = making.make(study, "reencoded", 1, actor=researcher)
    assert job.state == "waiting", "a worker does it"
    make_controls(job.pk)
    job.refresh_from_db()
    assert (job.state, job.made, job.reason) == ("done", 1, "")
    control = Control.objects.get()
    copy = Video.objects.get(derived_from=control.source_video)
    assert {control.pair.video_0_id, control.pair.video_1_id} == {control.source_video_id, copy.pk}
    assert (control.pair.ready, control.pair.expected, copy.asset.state) == (False, {"tie": False}, "waiting")
    assert copy.asset.sha256 != control.source_video.asset.sha256
    assert (copy.prompt, copy.generator) == (pair.prompt, control.source_video.generator)
    assert default_storage.exists(copy.asset.original)
    transcoding.process(transcoding.claim())
    control.pair.refresh_from_db()
    prepared = Asset.objects.get(pk=copy.asset_id)
    assert (control.pair.ready, prepared.state) == (True, "done")
    source = control.source_video.asset
    assert (prepared.duration_s, prepared.fps) == (pytest.approx(source.duration_s, abs=0.05), source.fps)


@pytest.mark.long
def test_a_run_that_was_killed_goes_on_and_makes_no_video_twice(study, researcher, playable_pairs):
    playable_pairs(study, 1)
    job = ControlsRun.objects.create(study=study, kind="reencoded", steps_total=5, steps=1, made=1, asked_by=researcher)
    making.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.made, Control.objects.count()) == ("done", 3, 2), "both videos, and no more are possible"
    assert Control.objects.values("source_video").distinct().count() == 2


def test_a_cancelled_run_keeps_what_it_made(study, researcher):
    factories.pair(study)
    job = making.make(study, "reencoded", 2, actor=researcher)
    making.cancel(job, actor=researcher)
    make_controls(job.pk)
    job.refresh_from_db()
    assert (job.state, job.made) == ("cancelled", 0)
