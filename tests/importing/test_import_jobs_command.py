"""Imports of the command line have a row too, can read any path, and continue after a kill."""

import io
import shutil

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from diptych.refusals import Refused
from importing import job_work, jobs
from importing.job_progress import POLICY
from importing.models import Import
from importing.progress import Progress
from jobs import engine
from sources import files
from studies.models import Study
from tests import factories
from tests.importing.import_jobs import after, events, originals, own_bytes
from tests.importing.manifests import prompts_with_videos, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


def command(path, slug="colours", *arguments):
    out, err = io.StringIO(), io.StringIO()
    if not Study.objects.filter(slug=slug).exists():
        arguments = (*arguments, "--create", "--owner", factories.person().username)
    try:
        call_command("import_study", str(path), "--study", slug, *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error
    return None


def test_the_command_reads_any_path_and_leaves_a_row(study, tmp_path):
    folder = own_bytes(write(tmp_path / "anywhere", prompts_with_videos(1, 2)), str(tmp_path))
    assert command(folder, study.slug, "--pairs", "random:1") is None
    job = Import.objects.get()
    assert (job.state, job.location, job.study) == ("done", str(folder), study)
    assert job.options == {"pairs": "random:1", "batch_size": 100, "command": True}
    assert job.report["videos"]["added"] == 2
    assert len(events(job, "import.asked")) == len(events(job, "import.finished")) == 1


def test_the_command_leaves_a_row_with_the_study_that_it_makes(tmp_path):
    folder = own_bytes(write(tmp_path / "anywhere", prompts_with_videos(1, 2)), str(tmp_path))
    assert command(folder, "colours", "--dry-run") is None
    assert not Import.objects.exists()
    assert command(folder) is None
    job = Import.objects.get()
    assert (job.state, job.study.slug, job.report["study_created"]) == ("done", "colours", True)
    assert set(job.study.prompts.values_list("import_number", flat=True)) == {job.pk}


def test_a_new_study_is_asked_for_and_has_an_owner(tmp_path, study):
    folder = own_bytes(write(tmp_path / "anywhere", prompts_with_videos(1, 2)), str(tmp_path))
    owner = factories.person(username="kim")

    def refused(*arguments):
        with pytest.raises(CommandError) as caught:
            call_command("import_study", str(folder), *arguments)
        assert caught.value.returncode == 2
        return str(caught.value)

    assert "add --create --owner NAME" in refused("--study", "coluors")
    assert "together: the named person" in refused("--study", "colours", "--create")
    assert "together: the named person" in refused("--study", "colours", "--owner", "kim")
    assert "no active account" in refused("--study", "colours", "--create", "--owner", "lee")
    assert "already" in refused("--study", study.slug, "--create", "--owner", "kim")
    assert not Study.objects.filter(slug__in=["colours", "coluors"]).exists()
    call_command("import_study", str(folder), "--study", "colours", "--create", "--owner", "kim", stdout=io.StringIO())
    made = Study.objects.get(slug="colours")
    assert (made.state, set(owner.memberships.values_list("study", "role"))) == (
        "paused", {(made.pk, "admin"), (made.pk, "researcher")},
    )  # fmt: skip


def test_the_command_reads_archives(tmp_path):
    write(tmp_path / "in", prompts_with_videos(1, 2))
    archive = shutil.make_archive(str(tmp_path / "a"), "gztar", tmp_path / "in")
    assert command(archive) is None
    assert Study.objects.get(slug="colours").videos.count() == 2
    (tmp_path / "bad.zip").write_bytes(b"")
    error = command(tmp_path / "bad.zip")
    assert (error.returncode, "damaged" in str(error)) == (2, True)


def test_what_the_command_refuses_is_in_its_row(study, tmp_path):
    assert command(write(tmp_path / "bad", [b"{}"]), study.slug).returncode == 1
    assert command(tmp_path / "nothing", study.slug).returncode == 2
    bad, missing = Import.objects.order_by("pk")
    assert (bad.state, bad.bad_rows) == ("refused", 1)
    assert (missing.state, "There is no file or folder" in missing.reason) == ("failed", True)


@pytest.mark.long
def test_a_command_that_was_killed_goes_on_where_it_stopped_and_no_worker_takes_it(study, tmp_path):
    folder = own_bytes(write(tmp_path / "anywhere", prompts_with_videos(1, 2)), str(tmp_path))
    options = job_work.row_options(job_work.ImportOptions()) | {"command": True}
    killed = job_work._claimed_here(study, str(folder), options)
    Import.objects.filter(pk=killed.pk).update(heartbeat_at=timezone.now() - 2 * POLICY.abandoned_after)
    assert engine.claim(POLICY, killed.pk) is None
    assert engine.waiting_too_long(POLICY, 9) == []
    assert job_work.give_up_commands() == 0
    assert command(folder, study.slug) is None
    job = Import.objects.get()
    assert (job.pk, job.state, job.attempts) == (killed.pk, "done", 2)


@pytest.mark.long
def test_a_command_that_was_killed_and_never_run_again_fails(study, tmp_path):
    killed = job_work._claimed_here(study, str(tmp_path), {"command": True})
    Import.objects.filter(pk=killed.pk).update(heartbeat_at=timezone.now() - 2 * job_work.COMMAND_WAITED_FOR)
    assert job_work.give_up_commands() == 1
    assert "Run it again" in after(killed, "failed").reason


def test_the_commands_import_can_be_cancelled_from_its_page(study, tmp_path, monkeypatch):
    folder = own_bytes(write(tmp_path / "anywhere", prompts_with_videos(1, 2)), str(tmp_path))

    def cancelling(video):
        jobs.cancel(Import.objects.get(), actor=None)
        keep_file(video)

    keep_file = files.keep_file
    monkeypatch.setattr(files, "keep_file", cancelling)
    monkeypatch.setattr(files, "in_threads", lambda work, subjects, progress: ((one, work(one)) for one in subjects))
    with pytest.raises(Refused, match="cancelled on its page"):
        job_work.run_here(str(folder), study.slug, options=job_work.ImportOptions(), shown=Progress())
    assert Import.objects.get().state == "cancelled"
    assert not any(originals(folder).values())
