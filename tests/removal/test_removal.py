"""Undo an import and delete a study, as long as no pair was served. Foreign keys decide."""

import threading

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.models import AuditEvent, Consent
from annotation import serving
from annotation.models import Assignment
from catalog.library import holding
from catalog.models import Batch, Pair, PairsChange, Prompt, Video
from diptych.refusals import Refused
from importing import job_work, jobs
from importing.models import Import
from media.models import Asset
from media.originals import original_name
from removal import orders, tasks, work
from removal.models import Removal
from studies.models import Study
from tests import factories
from tests.importing.manifests import imported, prompt, prompts_with_videos, video, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brought_in(study, researcher, tmp_path, settings):
    """Import lines as a job, as the page does. Return its row."""
    settings.IMPORT_ROOTS = [tmp_path]

    def bring(name, lines, to=study, **options):
        folder = write(tmp_path / name, lines)
        job = jobs.ask(to, source="server", location=str(folder), options=options, actor=researcher)
        job_work.run(job.pk)
        job.refresh_from_db()
        assert job.state == "done", (job.reason, job.report)
        return job

    return bring


def numbers(study):
    return tuple(model.objects.filter(study=study).count() for model in (Prompt, Video, Pair, Batch))


def test_an_import_is_undone_and_what_was_there_before_stays(study, researcher, brought_in):
    first = brought_in("first", prompts_with_videos(2, 2), batch_size=10)
    second = brought_in("second", [prompt("q"), video("q-a"), video("q-b"), *prompts_with_videos(2, 3)], batch_size=3)
    assert numbers(study) == (3, 8, 7, 3)
    pair = Pair.objects.filter(import_number=second.pk).first()
    holding.hold(study, [pair.public_id], reason="blurred", by=researcher)
    removal = orders.undo_import(second, actor=researcher)
    assert (removal.state, removal.removed) == (
        "done",
        {"labels": 0, "pairs": 5, "videos": 4, "prompts": 1, "batches": 2},
    )
    assert numbers(study) == (2, 4, 2, 1)
    assert set(Pair.objects.values_list("import_number", flat=True)) == {first.pk}
    second.refresh_from_db()
    assert second.undone_at is not None
    event = AuditEvent.objects.get(action="import.undone")
    assert (event.actor, event.after["pairs"], event.after["import"]) == (researcher, 5, second.pk)
    with pytest.raises(Refused, match="already been undone"):
        orders.undo_import(second, actor=researcher)


@pytest.mark.long
def test_files_go_afterwards_and_shared_bytes_stay(study, researcher, brought_in):
    other = factories.study()
    brought_in("other", [prompt("p0"), video("p0-a")], to=other)
    job = brought_in("first", [prompt("p0"), video("p0-a"), video("p0-b")])
    shared, own = (Video.objects.get(study=study, source_id=f"p0-{letter}").asset for letter in "ab")
    orders.undo_import(job, actor=researcher)
    assert default_storage.exists(original_name(own.sha256))
    tasks.look_after_removals()
    assert set(Asset.objects.values_list("sha256", flat=True)) == {shared.sha256}
    assert default_storage.exists(original_name(shared.sha256))
    assert not default_storage.exists(original_name(own.sha256))
    assert not Removal.objects.filter(files_left=True).exists()
    again = jobs.again(job, actor=researcher)
    job_work.run(again.pk)
    assert numbers(study)[1] == 2
    assert default_storage.exists(original_name(own.sha256))
    assert again.pk != job.pk


@pytest.mark.long
def test_an_import_of_which_somebody_was_given_a_pair_stays_whole(study, researcher, annotator, brought_in):
    job = brought_in("first", prompts_with_videos(3, 2))
    Pair.objects.update(ready=True)
    lease = serving.lease(annotator, study).current
    serving.release(lease, annotator)  # given back, it was given all the same
    before = numbers(study)
    removal = orders.undo_import(job, actor=researcher)
    assert (removal.state, numbers(study)) == ("failed", before)
    assert "served to someone" in removal.reason
    job.refresh_from_db()
    assert job.undone_at is None
    assert AuditEvent.objects.filter(action="import.undone_not").exists()
    assert orders.delete_study(study, actor=researcher).state == "failed"
    assert numbers(study) == before


@pytest.mark.long
def test_a_lease_at_the_very_moment_is_decided_by_the_foreign_key(study, researcher, annotator, brought_in):
    """The lease is written and not yet committed when the undo begins. The undo waits for it, and removes nothing."""
    job = brought_in("first", prompts_with_videos(3, 2))
    Pair.objects.update(ready=True)
    leased, ended, outcome = threading.Event(), threading.Event(), []

    def undo():
        leased.wait(20)
        outcome.append(orders.undo_import(job, actor=researcher))
        connection.close()
        ended.set()

    other = threading.Thread(target=undo)
    other.start()
    with transaction.atomic():
        assert serving.lease(annotator, study).current
        leased.set()
        assert not ended.wait(1.0)  # it waits for this transaction
    other.join(20)
    assert (outcome[0].state, numbers(study)) == ("failed", (3, 6, 3, 1))
    assert Assignment.objects.exists()


@pytest.mark.long
def test_an_import_that_others_build_on_is_undone_after_them(study, researcher, brought_in):
    first = brought_in("first", [prompt("p0"), video("p0-a"), video("p0-b")])
    second = brought_in("second", [prompt("p0"), video("p0-a"), video("p0-c")])
    refused = orders.undo_import(first, actor=researcher)
    assert refused.state == "failed"
    assert f"({second.pk})" in refused.reason
    for job in (second, first):
        removal = orders.undo_import(job, actor=researcher)
        assert (removal.state, removal.reason) == ("done", "")
    assert numbers(study) == (0, 0, 0, 0)


@pytest.mark.long
def test_a_removal_killed_in_the_middle_has_removed_nothing_and_begins_anew(study, researcher, brought_in, monkeypatch):
    job = brought_in("first", prompts_with_videos(3, 2))
    before = numbers(study)

    def killed(*_arguments, **_values):
        raise KeyboardInterrupt

    monkeypatch.setattr(work.engine, "end", killed)
    with pytest.raises(KeyboardInterrupt):
        orders.undo_import(job, actor=researcher)
    monkeypatch.undo()
    removal = Removal.objects.get()
    assert (removal.state, numbers(study)) == ("running", before)
    Removal.objects.update(heartbeat_at="2026-01-01T00:00Z")
    tasks.carry_out_removal(removal.pk)
    removal.refresh_from_db()
    assert (removal.state, numbers(study)) == ("done", (0, 0, 0, 0))


@pytest.mark.long
def test_a_long_removal_is_a_job_that_can_be_cancelled(study, researcher, brought_in, monkeypatch):
    job = brought_in("first", prompts_with_videos(3, 2))
    monkeypatch.setattr(orders, "RIGHT_AWAY", 1)
    removal = orders.undo_import(job, actor=researcher)
    assert removal.state == "waiting"
    with pytest.raises(Refused, match="Another removal"):
        orders.undo_import(job, actor=researcher)
    orders.cancel(removal, actor=researcher)
    tasks.carry_out_removal(removal.pk)
    removal.refresh_from_db()
    assert (removal.state, numbers(study)[2]) == ("cancelled", 3)


def test_a_study_is_deleted_with_all_that_is_its_own_and_nothing_else(study, annotator, brought_in):
    admin = factories.member(study, "admin")
    other = factories.study()
    factories.pairs(other, 2)
    factories.officer(study)
    brought_in("first", prompts_with_videos(3, 2))
    holding.hold(study, [Pair.objects.filter(study=study).first().public_id], reason="blurred", by=admin)
    PairsChange.objects.create(
        study=study, what="priority", value=2, until=1, asked_by=admin, state="done", finished_at=study.created_at
    )
    removal = orders.delete_study(study, actor=admin)
    assert (removal.state, removal.reason) == ("done", "")
    assert not Study.objects.filter(pk=study.pk).exists()
    assert (Study.objects.get(), numbers(other)) == (other, (2, 4, 2, 1))
    assert Consent.objects.get(user=annotator).withdrawn_at is not None  # a later study of this address asks anew
    event = AuditEvent.objects.get(action="study.deleted")
    assert (event.actor, event.study_slug, event.after["pairs"]) == (admin, study.slug, 3)
    tasks.look_after_removals()
    assert Asset.objects.count() == 4


def test_every_table_of_a_study_is_deleted_with_it_or_shows_that_somebody_was_given_a_pair():
    """A new table of a study must be in a part of its deletion, or keep the study."""
    from annotation.models import Annotation, Exposure, SecondLook, Standing
    from findings.models import Finding
    from qc.models import FrameItem, LotDecision, Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict
    from safety.models import Report

    keep = {Assignment, Annotation, Exposure, SecondLook, Standing, Report, Finding, FrameItem, LotDecision}
    keep |= {Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict}
    study = factories.study()
    deleted = set()

    def seen(execute, statement, values, many, context):
        if statement.startswith("DELETE FROM"):
            deleted.add(statement.split('"')[1])
        return execute(statement, values, many, context)

    with connection.execute_wrapper(seen):
        removal = orders.delete_study(study, actor=factories.member(study, "admin"))
    assert (removal.state, removal.reason) == ("done", "")
    tables = {relation.related_model for relation in Study._meta.related_objects} - keep
    assert {model._meta.db_table for model in tables} <= deleted
    assert Import._meta.db_table in deleted


@pytest.mark.long
def test_pages_ask_first_and_say_what_came_of_it(study, brought_in, browser_client):
    admin = factories.member(study, "admin")
    job = brought_in("first", prompts_with_videos(2, 2))
    client = browser_client(admin)
    page = f"/studies/{study.slug}/imports/{job.public_id}/"
    assert "Undo this import" in client.get(page).content.decode()
    assert "permanently" in client.get(f"{page}undo/").content.decode()
    assert numbers(study)[2] == 2
    assert "was undone on" in client.post(f"{page}undo/", follow=True).content.decode()
    assert numbers(study)[2] == 0
    where = f"/studies/{study.slug}/settings/delete/"
    assert client.post(where, {"slug": "another"}).status_code == 400
    response = client.post(where, {"slug": study.slug}, follow=True)
    assert "deleted" in response.content.decode()
    assert not Study.objects.exists(), Removal.objects.latest("pk").reason
    there = f"/studies/removals/{Removal.objects.latest('pk').pk}/"
    assert client.get(there).status_code == 200
    assert browser_client(factories.person()).get(there).status_code == 404


def test_rows_that_came_otherwise_have_no_number(tmp_path):
    imported(write(tmp_path, [prompt("p0")]))
    assert Prompt.objects.get().import_number is None


@pytest.mark.long
def test_programs_and_commands_undo_and_delete_too(study, researcher, annotator, brought_in, api):
    first, second = (brought_in(name, prompts_with_videos(2, number)) for name, number in (("first", 2), ("second", 3)))
    programs = api(researcher)
    undone = programs.post(f"/api/v1/imports/{second.public_id}/undo/")
    assert (undone.status_code, undone.json()["removed"]["pairs"]) == (200, 4)
    assert programs.get(f"/api/v1/removals/{undone.json()['id']}/").json()["state"] == "done"
    assert programs.get(f"/api/v1/imports/{second.public_id}/").json()["undone_at"]
    Pair.objects.update(ready=True)
    serving.lease(annotator, study)
    refused = programs.post(f"/api/v1/imports/{first.public_id}/undo/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_removed")
    with pytest.raises(CommandError, match="served to someone"):
        call_command("undo_import", str(first.pk))
    with pytest.raises(CommandError, match="--confirm"):
        call_command("delete_study", study.slug)
    with pytest.raises(CommandError, match="served to someone"):
        call_command("delete_study", study.slug, "--confirm", study.slug)
    other = factories.study()
    admin = api(factories.member(other, "admin"))
    assert admin.post(f"/api/v1/studies/{other.slug}/delete/", {"slug": "x"}, format="json").status_code == 400
    assert (
        admin.post(f"/api/v1/studies/{other.slug}/delete/", {"slug": other.slug}, format="json").json()["state"]
        == "done"
    )
    third = factories.study()
    call_command("delete_study", third.slug, "--confirm", third.slug)
    assert list(Study.objects.all()) == [study]
