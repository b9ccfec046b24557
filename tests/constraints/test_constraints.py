"""Each constraint of the database refuses a row that breaks it.

The rows are written without any check in Python.

The attempts are in one table for each group of apps.
"""

import copy

import pgtrigger
import pytest
from django.apps import apps
from django.db import DataError, IntegrityError, ProgrammingError, connection, models, transaction

from accounts.models import AccessToken, AuditEvent
from accounts.tokens import issue_token
from annotation.models import Annotation, SecondLook
from catalog.models import HoldChange, Pair, Prompt, Video
from media.models import Asset
from qc.models import LotDecision
from qualification.models import ExtraAttempt, TurnAnswer
from releases.models import ReleaseFile, ReleaseItem, ReleaseLabel, ReleasePrompt, Tombstone, Withdrawal
from safety.models import QuarantineAct
from studies.models import Document, DocumentVersion, StateChange, Study
from suspensions.models import PauseJudgement, UndoneJudgement
from tests import factories
from tests.constraints import answers, material, people_and_studies, quality, releases, review, webhooks
from tests.constraints.world import NOON, World
from tests.layout import APPS
from tests.qualification import broken_rules
from tests.qualification.broken_rules import BROKEN_RULES
from tests.training import broken_rules as broken_training
from tests.training.broken_rules import BROKEN_TRAINING
from training.models import Artefact, ModelFamily

pytestmark = pytest.mark.django_db

#: By the name of the constraint.
ATTEMPTS = {
    **people_and_studies.ATTEMPTS,
    **material.ATTEMPTS,
    **answers.ATTEMPTS,
    **review.ATTEMPTS,
    **quality.ATTEMPTS,
    **releases.ATTEMPTS,
    **webhooks.ATTEMPTS,
    **BROKEN_RULES,
    **BROKEN_TRAINING,
}

#: Unique together with the primary key, so never broken on their own: composite foreign keys point at them.
TARGETS = broken_training.TARGETS | {
    "release_family_study_id",
    "release_study_id",
    "release_family_id",
    "withdrawal_study_id",
    "endpoint_study_id",
    "event_study_id",
    "prompt_study_id",
    "video_study_id",
    "video_prompt_study_id",
    "batch_study_id",
    "pair_study_id",
    "lot_study_id",
    "control_study_id",
    "frame_item_study_id",
    "annotation_assignment_id",
    "annotation_study_id",
    "assignment_study_id",
    "review_study_id",
    "suspension_study_id",
    "pause_judgement_study_id",
    "pause_judgement_study_id_figure",
    "calibration_study_id",
    "calibration_item_study_id",
    "pair_set_study_kind_id",
    "pair_set_study_id",
    "set_item_set_id",
    "attempt_study_set_id",
    "attempt_study_person_id",
}


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    """Return a world for all tests of the module. Each test is rolled back to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.fixture
def world(built, db):
    return copy.deepcopy(built)  # a test may change its objects


def declared():
    """Return the names of all constraints of all apps."""
    return {
        constraint.name
        for app in set(APPS) & set(apps.app_configs)
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
    }


def test_every_constraint_has_an_attempt_to_break_it():
    assert declared() == set(ATTEMPTS) | TARGETS


@pytest.mark.parametrize("name", ATTEMPTS)
def test_the_database_refuses(world, name):
    with pytest.raises((IntegrityError, DataError)) as refused, transaction.atomic():
        ATTEMPTS[name](world)
    assert name in str(refused.value)


def test_a_real_pair_is_of_the_study_that_its_prompt_and_videos_are_of(world):
    """One foreign key checks this for prompt and videos: the pair can name no other study."""
    there = world.foreign
    with pytest.raises(IntegrityError, match=r"pair_video_._same_prompt"), transaction.atomic():
        factories.pair(world.study, prompt=there.prompt, video_0=there.video_0, video_1=factories.video(there.prompt))


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (model, field)
        for model in (Asset, Annotation, AuditEvent, AccessToken, Study)
        for field in model._meta.fields
        if field.unique and not field.primary_key
    ],
    ids=str,
)
def test_unique_columns_are_unique_in_the_database(db, model, field):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table)
    assert any(found["unique"] and found["columns"] == [field.column] for found in constraints.values())


def audited(w):
    issue_token(w.person, scopes=["read"])
    AuditEvent.objects.create(action="test.made", subject="x", subject_id="1")


#: For each table: how to fill it, and a change that only its trigger refuses.
APPEND_ONLY = {
    Annotation: (lambda w: w.annotation(), {"helpfulness": "video_1"}),
    AuditEvent: (audited, {"action": "x"}),
    Document: (lambda w: w.document(), {"text": "x"}),
    DocumentVersion: (lambda w: w.document_version(), {"published_by": None}),
    HoldChange: (lambda w: w.hold_change(), {"after": "x"}),
    LotDecision: (lambda w: w.lot_decision(), {"reason": "y"}),
    PauseJudgement: (lambda w: w.judgement(), {"hits": 1}),
    UndoneJudgement: (lambda w: w.undone_judgement(), {"undone_at": NOON}),
    QuarantineAct: (lambda w: w.act(), {"reason": "x"}),
    ReleaseFile: (lambda w: w.release_file(), {"byte_size": 2}),
    ReleaseItem: (lambda w: w.release_item(), {"part": "test"}),
    ReleaseLabel: (lambda w: w.release_label(), {"part": "test"}),
    ReleasePrompt: (lambda w: w.release_prompt(), {"part": "test"}),
    Tombstone: (lambda w: w.tombstone(), {"answers": 2}),
    Withdrawal: (lambda w: w.withdrawal(), {"reason": "y"}),
    SecondLook: (lambda w: w.second_look(), {"looked_at": NOON}),
    StateChange: (lambda w: w.state_change(), {"step": "paused"}),
    TurnAnswer: (broken_rules.turn_answer, {"helpfulness": "video_1"}),
    ExtraAttempt: (broken_rules.extra, {"reason": "y"}),
    Artefact: (broken_training.artefact, {"byte_size": 2}),
    ModelFamily: (broken_training.family, {"backbone": "x"}),
}


@pytest.mark.parametrize("write", ["update", "delete", "truncate"])
@pytest.mark.parametrize("model", APPEND_ONLY)
def test_append_only_tables_refuse_every_other_write(world, model, write):
    make, changes = APPEND_ONLY[model]
    make(world)
    with pytest.raises(ProgrammingError, match=r"(?i)cannot (update|delete|truncate)"), transaction.atomic():
        if write == "update":
            model.objects.update(**changes)
        elif write == "delete":
            models.QuerySet(model)._raw_delete("default")
        else:
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no pending constraint of this test prevents it
                cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
    assert model.objects.exists()


def test_no_trigger_of_ours_is_missing_from_the_database(db):
    installed = [trigger.get_installation_status(model)[0] for model, trigger in pgtrigger.registered()]
    assert installed
    assert set(installed) == {"INSTALLED"}


def test_a_control_pair_may_join_videos_of_two_prompts_but_not_of_two_studies(world):
    control = factories.pair(
        world.study,
        kind="control",
        expected={"instruction_following": "video_0"},
        prompt=world.prompt,
        video_0=world.video,
        video_1=factories.video(world.other_prompt),
    )
    assert Pair.objects.get(pk=control.pk).real_prompt_id is None


def test_the_same_bytes_may_serve_two_studies_but_are_stored_once(world):
    asset = world.video.asset
    assert factories.video(world.foreign.prompt, asset=asset).asset_id == asset.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.asset(sha256=asset.sha256)


def test_rows_that_others_point_at_cannot_be_deleted(world):
    for row in (world.study, world.prompt, world.video, world.pair, world.person):
        with pytest.raises(models.ProtectedError), transaction.atomic():
            row.delete()
    assert Prompt.objects.filter(pk=world.prompt.pk).exists()
    assert Video.objects.filter(pk=world.video.pk).exists()
