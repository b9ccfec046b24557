"""What is removed with a study, and what keeps an import and a study."""

import pytest
from django.db import connection
from django.utils import timezone

from importing.models import Import
from qualification import attempts, sets
from qualification.models import PairSet
from removal import work
from removal.models import Removal
from studies.models import Study
from tests import factories
from tests.qualification import world


@pytest.fixture
def asked(transactional_db):
    study = factories.study()
    actor = factories.member(study, "admin")
    world.asks_for_qualification(study, actor)
    return study, actor


def removed(study, actor, what, **about):
    facts = {"study_number": study.pk, "study_slug": study.slug, "study_title": study.title, "asked_by": actor}
    job = Removal.objects.create(what=what, **facts | about)
    work.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.long
def test_a_study_with_sets_is_deleted_as_long_as_nobody_has_begun(asked):
    study, actor = asked
    sets.make_draft(study, "test", actor=actor)
    job = removed(study, actor, "study")
    assert (job.state, job.reason) == ("done", "")
    assert not Study.objects.filter(pk=study.pk).exists()
    assert not PairSet.objects.exists()


def test_a_study_in_which_somebody_has_begun_stays(asked):
    study, actor = asked
    kim = factories.member(study, "annotator")
    attempts.next_step(attempts.begin(kim, study, "training"), kim)
    job = removed(study, actor, "study")
    assert (job.state, "qualification" in job.reason or "served" in job.reason) == ("failed", True)
    assert PairSet.objects.count() == 2


def test_an_import_of_which_a_pair_is_in_a_set_cannot_be_undone(asked):
    study, actor = asked
    made = Import.objects.create(study=study, source="server", state="done", finished_at=timezone.now())
    with connection.cursor() as cursor:
        for table in ("catalog_pair", "catalog_video", "catalog_prompt"):
            cursor.execute(f"UPDATE {table} SET import_number = %s", [made.pk])
    job = removed(study, actor, "import", import_number=made.pk)
    assert (job.state, "used in a qualification" in job.reason) == ("failed", True)
