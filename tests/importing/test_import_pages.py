"""The pages of a study's imports: start one, follow it, and see its outcome."""

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

import sources
from accounts.models import AuditEvent
from catalog.models import Pair, Prompt
from importing import job_pages, job_work, storage_check, uploads
from importing.job_progress import bad_rows_file
from importing.models import Import
from studies.models import Study
from tests import factories
from tests.importing import manifests
from tests.sources.test_cases import of_names

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(browser_client: Any, researcher: Any) -> Any:
    return browser_client(researcher)


@pytest.fixture
def folder(settings: Any, tmp_path: Any) -> Any:
    """Return a folder that imports can read."""
    settings.IMPORT_ROOTS = [tmp_path]
    return tmp_path


def page(name: str, study: Any, *job: Import) -> str:
    return reverse(f"importing:{name}", args=[study.slug, *(one.public_id for one in job)])


def form(**values: Any) -> dict[str, Any]:
    return {"source": "server", "pairs": "", "batch_size": 100, "a_prompt": 3} | values


def refused(study: Any, rows: list[dict[str, Any]]) -> Import:
    now = timezone.now()
    job = Import.objects.create(study=study, source="server", state="refused", finished_at=now, bad_rows=len(rows))
    default_storage.save(bad_rows_file(job), ContentFile(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    return job


def test_an_import_is_asked_for_run_and_shown(client, study, folder):
    Study.objects.filter(pk=study.pk).update(sample_share=0)
    manifests.write(folder / "in", manifests.prompts_with_videos(2, 3))
    answer = client.post(page("new", study), form(location="in", pairs="random", a_prompt=2, batch_size=3, overlap=2))
    job = Import.objects.get()
    assert (answer.status_code, answer.url) == (302, page("import", study, job))
    assert job.options == {"pairs": "random:2", "batch_size": 3, "overlap": 2}
    assert "Waiting for a worker" in client.get(answer.url).content.decode()
    job_work.run(job.pk)
    shown = client.get(answer.url).content.decode()
    assert "<b>2</b>" in shown
    assert "<b>6</b>" in shown
    assert "Time for each stage" in shown
    assert set(Pair.objects.values_list("wanted", flat=True)) == {2}
    assert "New: prompts 2, videos 6, pairs 4" in client.get(page("imports", study)).content.decode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"location": ""}, "Enter the path or address of the material."),
        ({"location": "nowhere"}, "does not exist, or is outside"),
        ({"location": "/etc"}, "does not exist, or is outside"),
        ({"source": "upload", "batch_size": 0}, "Enter a number that is not less than 1."),
        ({"source": "upload", "pairs": "random", "a_prompt": ""}, "Enter the number of pairs per prompt."),
        ({"source": "elsewhere"}, "Choose one of the options that are offered."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_started(client, study, folder, values, sentence):
    answer = client.post(page("new", study), form(**values))
    assert (answer.status_code, Import.objects.count()) == (400, 0)
    assert sentence in answer.content.decode()


@pytest.mark.long
def test_uploaded_files_are_imported(client, study):
    client.post(page("new", study), form(source="upload", location="left from before"))
    job = Import.objects.get()
    assert (job.state, job.location) == ("collecting", "")
    for name, content in {"mine/p1/prompt.txt": b"A ball", "mine/p1/a.mp4": b"a", "mine/p1/b.mp4": b"b"}.items():
        upload, _ = uploads.create(job, name, len(content))
        early = client.post(page("begin", study, job), follow=True)
        assert f"{name} is not fully uploaded" in early.content.decode()
        uploads.receive(upload, 0, ContentFile(content), len(content))
    assert client.post(page("begin", study, job)).url == page("import", study, job)
    job_work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.report["pairs"]["added"]) == ("done", 1)


def test_bad_rows_are_shown_in_part_and_downloaded_whole(client, study):
    rows = [{"file": "manifest.jsonl", "line": n, "field": "path", "reason": f"clip {n} is missing"} for n in range(60)]
    job = refused(study, rows)
    shown = client.get(page("import", study, job)).content.decode()
    assert "Nothing was imported: 60 problems" in shown
    assert "clip 49 is missing" in shown
    assert "clip 50 is missing" not in shown
    as_lines = client.get(page("bad_rows_jsonl", study, job))
    assert [json.loads(line) for line in as_lines.getvalue().splitlines()] == rows
    as_table = client.get(page("bad_rows_csv", study, job))
    assert as_table["Content-Disposition"].endswith('-bad-rows.csv"')
    read = list(csv.DictReader(io.StringIO(as_table.getvalue().decode("utf-8-sig"))))
    assert [(row["line"], row["reason"]) for row in read] == [(str(row["line"]), row["reason"]) for row in rows]


def test_no_cell_of_the_table_is_a_formula(client, study):
    job = refused(study, [{"file": "=HYPERLINK(1)", "line": None, "field": "@x", "reason": '-1", "b'}])
    [row] = csv.DictReader(io.StringIO(client.get(page("bad_rows_csv", study, job)).getvalue().decode("utf-8-sig")))
    assert row == {"file": "'=HYPERLINK(1)", "line": "", "field": "'@x", "reason": '\'-1", "b'}


def test_bad_rows_whose_file_is_lost_break_no_page(client, study):
    job = refused(study, [{"file": "a", "line": 1, "field": "", "reason": "b"}])
    default_storage.delete(bad_rows_file(job))
    assert client.get(page("import", study, job)).status_code == 200
    assert client.get(page("bad_rows_jsonl", study, job)).status_code == 404  # an empty file would say there were none
    assert client.get(page("bad_rows_csv", study, job)).status_code == 404


@pytest.mark.long
def test_the_good_rows_of_a_refused_import_are_imported_by_one_press(client, study, folder):
    lines = [*manifests.prompts_with_videos(1, 2), manifests.video("nobody-a")]
    manifests.write(folder / "in", lines)
    client.post(page("new", study), form(location="in"))
    first = Import.objects.get()
    job_work.run(first.pk)
    assert "Nothing was imported: 1 problem" in client.get(page("import", study, first)).content.decode()
    answer = client.post(page("again", study, first), {"change": "skip_bad"})
    second = Import.objects.latest("pk")
    assert answer.url == page("import", study, second)
    job_work.run(second.pk)
    assert Pair.objects.filter(study=study).count() == 1
    assert "nobody" in client.get(answer.url).content.decode()


@pytest.mark.long
def test_a_dry_run_becomes_real_by_one_press(client, study, folder):
    manifests.write(folder / "in", manifests.prompts_with_videos(1, 2))
    client.post(page("new", study), form(location="in", dry_run="on"))
    dry = Import.objects.get()
    job_work.run(dry.pk)
    assert "Nothing was added to the study" in client.get(page("import", study, dry)).content.decode()
    assert not Pair.objects.exists()
    client.post(page("again", study, dry), {"change": "for_real"})
    job_work.run(Import.objects.latest("pk").pk)
    assert Pair.objects.count() == 1


@pytest.mark.long
def test_the_code_page_of_an_archive_is_asked_for_and_chosen_by_one_press(client, study, folder):
    """Without a manifest the import stops and shows the names in each reading. A press reads them in one of these."""
    archive = of_names(folder / "a.zip", "한국어", "공", "cp949", stated=False)
    assert "File name encoding" in client.get(page("new", study)).content.decode()
    client.post(page("new", study), form(location=str(archive), dry_run="on"))
    asking = Import.objects.get()
    job_work.run(asking.pk)
    asking.refresh_from_db()
    assert (asking.state, Prompt.objects.count()) == ("failed", 0)
    shown = client.get(page("import", study, asking)).content.decode()
    assert "Which of these readings of the file names is right?" in shown
    for key, label, names in (("gbk", "GBK", "茄惫绢"), ("euc-kr", "EUC-KR", "한국어"), ("cp437", "CP437", "╟╤")):
        assert f'value="{key}">Read as {label}</button> <span class="address" dir="auto">“{names}' in shown
    assert '<option value="cp866">' in shown
    answer = client.post(page("again", study, asking), {"change": "name_encoding", "name_encoding": "euc-kr"})
    chosen = Import.objects.latest("pk")
    assert chosen.options == {"batch_size": 100, "dry_run": True, "name_encoding": "euc-kr"}
    job_work.run(chosen.pk)
    shown = client.get(answer.url).content.decode()
    assert "Which of these readings" not in shown
    assert "EUC-KR" in shown
    assert "This was a dry run" in shown
    client.post(page("again", study, chosen), {"change": "name_encoding", "name_encoding": "nonsense"})
    assert Import.objects.count() == 2


def test_cancelling_is_recorded_and_a_second_press_is_harmless(client, study, researcher):
    job = Import.objects.create(study=study, source="upload", state="collecting")
    for _ in range(2):
        assert client.post(page("cancel", study, job)).url == page("import", study, job)
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert AuditEvent.objects.filter(action="import.cancelled", actor=researcher).count() == 1
    assert "Import cancelled" in client.get(page("import", study, job)).content.decode()


def test_the_small_answer_says_how_far_it_is(client, study):
    at = timezone.now() - timedelta(seconds=30)
    line = {"stage": "Reading files", "at": at.isoformat(), "total": 4000}
    running = {"state": "running", "heartbeat_at": timezone.now(), "fence": 1, "stage": "Reading files"}
    job = Import.objects.create(study=study, source="upload", steps=1234, steps_total=4000, log=[line], **running)
    said = client.get(page("progress", study, job)).json()
    assert (said["version"], said["said"], said["how_far"]) == ("running", "Reading files", "1,234 of 4,000")
    assert [(stage["name"], stage["now"]) for stage in said["stages"]] == [("Reading files", True)]
    Import.objects.filter(pk=job.pk).update(cancel_asked_at=timezone.now())
    assert client.get(page("progress", study, job)).json()["said"] == "Being cancelled"


def test_a_pause_after_trouble_is_told_with_its_reason(client, study):
    line = {"stage": "Waiting for another attempt", "at": timezone.now().isoformat(), "reason": "Input/output error"}
    job = Import.objects.create(
        study=study, source="server", location="x", pauses=1, reason="Input/output error", log=[line]
    )
    said = client.get(page("progress", study, job)).json()
    assert (said["said"], said["note"]) == ("Waiting for another attempt", "Input/output error")


def test_every_stage_has_a_name_that_can_be_translated():
    folders = [Path(module.__file__).parent for module in (job_pages, sources)]
    modules = {path for folder in folders for path in folder.glob("*.py")}
    modules.remove(Path(storage_check.__file__))  # of a command, in English
    named = {name for path in modules for name in re.findall(r'\.begin\("([^"]+)"', path.read_text())}
    assert "Reading files" in named
    assert named <= set(job_pages.STAGES)


def test_an_import_of_another_study_does_not_exist_here(client, study):
    other = Import.objects.create(study=factories.study(), source="upload", state="collecting")
    assert client.get(page("import", study, other)).status_code == 404
    assert client.post(page("cancel", study, other)).status_code == 404
    other.refresh_from_db()
    assert other.state == "collecting"


def test_older_imports_are_on_further_pages(client, study, monkeypatch):
    monkeypatch.setattr("diptych.paging.PAGE", 2)
    for number in range(3):
        Import.objects.create(study=study, source="server", location=f"round-{number}")

    def shown(response):
        return [f"round-{n}" in response.content.decode() for n in range(3)]

    first = client.get(page("imports", study))
    assert shown(first) == [False, True, True]
    [older] = re.findall(r'href="(\?after=\w+)" rel="next"', first.content.decode())
    second = client.get(page("imports", study) + older)
    assert shown(second) == [True, False, False]
    [newer] = re.findall(r'href="(\?before=\w+)" rel="prev"', second.content.decode())
    assert shown(client.get(page("imports", study) + newer)) == [False, True, True]
    assert shown(client.get(page("imports", study), {"after": "9" * 40})) == [False, True, True]


def test_what_strangers_wrote_is_shown_as_text(client, study):
    job = refused(study, [{"file": "<script>alert(1)</script>", "line": 1, "field": "<b>", "reason": "<img src=x>"}])
    shown = client.get(page("import", study, job)).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;img src=x&gt;" in shown
