"""An import is not undone, and a study not deleted, while quality control uses its videos. The reason is a sentence."""

from datetime import timedelta

import pytest
from django.db.models import ForeignKey
from django.utils import timezone
from django.utils.translation import override

from calibration import preparing, turns
from calibration.deletion import IN_CALIBRATION
from calibration.models import CalibrationItem, CalibrationSession
from catalog.models import Batch, Pair, Prompt, Video
from controls.models import Control
from importing.models import Import
from qc.models import AskedForMore, FrameItem, LotBatch, Review, ReviewAnswer, SecondBlind
from removal import orders
from removal.work import CHANGED, CONTROLS, GIVEN
from studies.models import Study
from tests import factories
from tests.controls.made import control_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


@pytest.fixture
def job(study, researcher):
    """An import that has ended, as far as removals look at it."""
    now = timezone.now()
    ended = {"state": "done", "started_at": now - timedelta(minutes=1), "finished_at": now}
    return Import.objects.create(study=study, source="server", location="/x", asked_by=researcher, **ended)


@pytest.fixture
def pair(study, job):
    """A pair that the import added, with its prompt, videos and batch."""
    found = factories.pair(study)
    for model in (Prompt, Video, Pair, Batch):
        model.objects.filter(study=study).update(import_number=job.pk)
    found.refresh_from_db()
    return found


def undone(job, actor):
    removal = orders.undo_import(job, actor=actor)
    return removal.state, removal.reason


def deleted(study, actor):
    removal = orders.delete_study(study, actor=actor)
    return removal.state, removal.reason


def session_with(pair, admin):
    session = preparing.make(pair.study, topic="Tags", actor=admin)
    preparing.add(session, pairs=[pair.public_id], actor=admin)
    return session


class TestControls:
    def test_that_repeat_a_pair(self, pair, job, admin, study):
        control_of(study, pair)
        assert undone(job, admin) == ("failed", CONTROLS)
        assert Pair.objects.filter(pk=pair.pk).exists()

    def test_of_a_video_beside_its_copy(self, pair, job, admin, study):
        copy = factories.video(pair.prompt, derived_from=pair.video_0)
        made = factories.pair(
            study, prompt=pair.prompt, video_0=pair.video_0, video_1=copy, kind="control", expected={}
        )
        Control.objects.create(study=study, pair=made, kind="reencoded", source_video=pair.video_0, made_by=admin)
        assert undone(job, admin) == ("failed", CONTROLS)

    def test_also_withdrawn_ones(self, pair, job, admin, study):
        control = control_of(study, pair)
        withdrawn = {"withdrawn_at": timezone.now(), "withdrawn_by": admin, "withdrawn_because": "Wrong."}
        Control.objects.filter(pk=control.pk).update(**withdrawn)
        assert undone(job, admin) == ("failed", CONTROLS)

    def test_the_page_says_it_in_the_readers_language(self, pair, job, admin, study, browser_client):
        control_of(study, pair)
        client = browser_client(admin)
        client.cookies["django_language"] = "zh-hans"
        with override("en"):  # the request would leave its language to the next test
            page = client.post(f"/studies/{study.slug}/imports/{job.public_id}/undo/", follow=True)
        assert page.status_code == 200
        assert "检验题" in page.content.decode()

    def test_a_study_in_which_nobody_was_served_is_deleted_with_its_controls(self, pair, admin, study):
        control_of(study, pair)
        assert deleted(study, admin) == ("done", "")
        assert not Control.objects.exists()


class TestCalibration:
    @pytest.mark.long
    def test_a_draft_session_keeps_an_import_and_goes_with_the_study(self, pair, job, admin, study):
        session_with(pair, admin)
        assert undone(job, admin) == ("failed", IN_CALIBRATION)
        assert deleted(study, admin) == ("done", "")
        assert not Study.objects.filter(pk=study.pk).exists()

    def test_a_pair_that_somebody_judged_keeps_the_study_too(self, pair, job, study):
        judge = factories.reviewer(study, "researcher")
        session = session_with(pair, judge)
        preparing.open_session(session, actor=judge)
        assert turns.next_turn(judge, session).sitting
        assert undone(job, judge)[1] in (GIVEN, IN_CALIBRATION)
        assert deleted(study, judge) == ("failed", GIVEN)
        assert CalibrationSession.objects.exists()


def of_an_answer(pair, admin):
    """Let somebody answer the pair, and freeze the answer in a lot. Return the item."""
    return factories.lot_in_review(pair.study, has_pairs=True).items.get()


@pytest.mark.long
class TestReviews:
    def test_a_lot_in_review(self, pair, job, admin, study):
        of_an_answer(pair, admin)
        assert undone(job, admin) == ("failed", GIVEN)
        assert deleted(study, admin) == ("failed", GIVEN)

    def test_a_review_and_a_blind_answer(self, pair, job, admin, study):
        item = of_an_answer(pair, admin)
        review = factories.review(item, reviewer=factories.reviewer(study))
        assert Review.objects.get() == review
        assert undone(job, admin) == ("failed", GIVEN)
        assert deleted(study, admin) == ("failed", GIVEN)

    def test_a_request_for_more_opinions(self, pair, job, admin, study):
        factories.answer(factories.member(study, "annotator"), study)
        AskedForMore.objects.create(study=study, pair=pair, number=1, because=["helpfulness"], answers=[1])
        assert undone(job, admin) == ("failed", GIVEN)
        assert deleted(study, admin) == ("failed", GIVEN)

    def test_a_draft_lot_keeps_its_batch_and_goes_with_the_study(self, pair, job, admin, study):
        factories.lot(study, pair.batch)
        assert undone(job, admin) == ("done", "")
        assert Batch.objects.filter(lot_batches__isnull=False).exists()
        assert deleted(study, admin) == ("done", "")
        assert not LotBatch.objects.exists()


def test_every_table_that_points_at_material_was_tried():
    """A new table of quality control that points at prompts, videos, pairs or batches needs a test above."""
    from django.apps import apps

    material = {Prompt, Video, Pair, Batch}
    pointing = {
        model
        for config in apps.get_app_configs()
        if config.label not in {"catalog", "safety", "importing", "annotation", "qualification", "releases"}
        for model in config.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model in material
    }
    tried = {AskedForMore, CalibrationItem, Control, FrameItem, LotBatch, Review, ReviewAnswer, SecondBlind}
    assert pointing == tried
    assert CHANGED not in (GIVEN, CONTROLS, IN_CALIBRATION)
