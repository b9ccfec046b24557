"""Importing from the browser: a folder is sent over a bad connection and imported by a real worker."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from playwright.sync_api import Page, expect

from catalog.models import Pair
from importing import job_progress, uploads
from importing.models import Import, Upload
from media.models import Asset
from tests import factories
from tests.browser.cut_connection import CutConnection
from tests.media import making
from tests.media.workers import Worker, sha256_of_path
from tests.web import wait_for

pytestmark = pytest.mark.long

SIZES = {"wide": {"width": 1280, "height": 720}, "narrow": {"width": 420, "height": 800}}
#: For each clip: its source, and its size as it is stated.
RAW = ("-c:v", "rawvideo", "-pix_fmt", "yuv420p")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with two prompts with two clips each, about 17 MB, and files that systems leave behind."""
    root = tmp_path / "my study"
    for prompt, rates in {"a ball": ("24", "25"), "提示": ("26", "27")}.items():
        (root / prompt).mkdir(parents=True)
        (root / prompt / "prompt.txt").write_text(f"Something with {prompt}", encoding="utf-8")
        for rate in rates:
            making.make(root / prompt / f"at {rate}.avi", *making.pattern(rate=rate), *RAW)
    (root / ".DS_Store").write_bytes(b"left behind")
    return root


@pytest.fixture
def line(server: str) -> Iterator[CutConnection]:
    """Make a connection that breaks after 6 MB."""
    line = CutConnection(server, 6_000_000)
    yield line
    line.close()


def job_page(study: Any) -> str:
    job = Import.objects.create(study=study, source="upload", state="collecting")
    return f"/studies/{study.slug}/imports/{job.public_id}/"


def choose_folder(page: Page, folder: Path) -> None:
    expect(page.locator("[data-drop]")).to_be_visible()
    page.get_by_label("Choose a folder").set_input_files(folder)


def test_a_folder_comes_through_a_broken_connection_and_its_videos_become_ready(
    open_page, study, researcher, folder, line, tmp_path
):
    page = open_page("/", researcher)
    page.goto(f"{line.address}/studies/{study.slug}/imports/new/")
    page.get_by_role("button", name="Continue to the files").click()
    begin = page.get_by_role("button", name="Start the import")
    expect(begin).to_be_disabled()
    choose_folder(page, folder)
    expect(page.locator("[data-line]")).to_contain_text("No connection", timeout=30_000)
    assert line.is_cut.is_set()
    wait_for(lambda: sum(Upload.objects.values_list("received", flat=True)) > 0, "nothing came before the cut")
    line.mend()
    expect(page.locator("[data-line]")).to_have_text("All files are uploaded", timeout=60_000)
    assert Upload.objects.count() == 6  # and not what systems leave
    whole = sum(path.stat().st_size for path in folder.rglob("*.*") if path.name != ".DS_Store")
    assert sum(Upload.objects.values_list("received", flat=True)) == whole
    worker = Worker("--concurrency", "2")
    try:
        begin.click()
        expect(page.locator(".page-head .chip[data-state]")).to_have_text("done", timeout=60_000)
        expect(page.locator(".figures")).to_contain_text("4 new")
        assert Pair.objects.filter(study=study).count() == 2
        wait_for(lambda: Asset.objects.filter(state="done").count() == 4, "the videos did not become ready", 90)
    finally:
        worker.stop()
    assert set(Asset.objects.values_list("sha256", flat=True)) == {sha256_of_path(p) for p in folder.rglob("*.avi")}


def test_what_was_sent_before_a_reload_is_not_sent_again(open_page, study, researcher, folder, line):
    page = open_page("/", researcher)
    page.goto(f"{line.address}{job_page(study)}")
    choose_folder(page, folder)
    expect(page.locator("[data-line]")).to_contain_text("No connection", timeout=30_000)
    line.mend()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-line]")).to_have_text("Paused")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("[data-line]")).to_contain_text("Some files are not fully uploaded")
    there, before = sum(Upload.objects.values_list("received", flat=True)), line.sent
    assert there > 0
    choose_folder(page, folder)
    expect(page.locator("[data-line]")).to_have_text("All files are uploaded", timeout=60_000)
    whole = sum(Upload.objects.values_list("byte_size", flat=True))
    assert line.sent - before < whole - there + 200_000  # besides headers and the page's own files


def test_sending_can_be_paused_and_continued(open_page, study, researcher, folder):
    page = open_page(job_page(study), researcher)
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 4_000_000},
    )
    choose_folder(page, folder)
    wait_for(lambda: Upload.objects.exists(), "nothing was announced")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-line]")).to_have_text("Paused")
    expect(page.get_by_role("button", name="Start the import")).to_be_disabled()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-line]")).to_have_text("All files are uploaded", timeout=60_000)


def test_a_long_list_of_files_makes_its_box_longer_and_not_the_page(open_page, study, researcher):
    path = job_page(study)
    job = Import.objects.get()
    names = [f"clip-{number}.mp4" for number in range(300)]
    Upload.objects.bulk_create(Upload(import_job=job, path=name, byte_size=10) for name in names)
    page = open_page(path, researcher)
    expect(page.locator("[data-files] li").first).to_be_visible()
    heights = page.evaluate(
        "() => [document.documentElement.scrollHeight, document.body.getBoundingClientRect().bottom + scrollY]"
    )
    assert heights[0] <= heights[1] + 1
    shown = page.locator("[data-files] [data-name]").all_text_contents()
    assert shown[:3] == names[:3]


def test_a_refused_file_says_why_and_can_be_removed(open_page, study, researcher, tmp_path):
    address = job_page(study)
    uploads.create(Import.objects.get(), "a.zip", 10)
    page = open_page(address, researcher)
    expect(page.locator("[data-line]")).to_contain_text("Some files are not fully uploaded")
    (tmp_path / "a.zip").write_bytes(b"another length")
    page.get_by_label("Choose files").set_input_files(tmp_path / "a.zip")
    expect(page.locator("[data-files] li")).to_contain_text("was already uploaded with another length")
    page.get_by_role("button", name=re.compile("Remove.*a.zip")).click()
    expect(page.locator("[data-line]")).to_have_text("No files yet")
    assert not Upload.objects.exists()
    page.get_by_label("Choose files").set_input_files(tmp_path / "a.zip")
    expect(page.locator("[data-line]")).to_have_text("All files are uploaded")


def test_dropped_files_are_accepted(open_page, study, researcher):
    page = open_page(job_page(study), researcher)
    expect(page.locator("[data-drop]")).to_be_visible()
    page.evaluate(
        """() => { const dropped = new DataTransfer();
                   dropped.items.add(new File(["{}"], "manifest.jsonl"));
                   dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, cancelable: true })); }"""
    )
    expect(page.locator("[data-files] li")).to_contain_text("manifest.jsonl")
    expect(page.locator("[data-line]")).to_have_text("All files are uploaded")
    assert list(Upload.objects.values_list("path", "received")) == [("manifest.jsonl", 2)]


def test_a_person_who_is_signed_out_in_the_middle_signs_in_and_continues(open_page, study, researcher, folder):
    page = open_page(job_page(study), researcher)
    expect(page.locator("[data-drop]")).to_be_visible()
    cookies = page.context.cookies()
    page.context.clear_cookies()
    choose_folder(page, folder)
    expect(page.locator("[data-line]")).to_contain_text("You were signed out")
    page.context.add_cookies(cookies)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-line]")).to_have_text("All files are uploaded", timeout=60_000)


def test_an_import_that_was_cancelled_elsewhere_takes_no_more_and_the_page_says_so(
    open_page, study, researcher, folder
):
    page = open_page(job_page(study), researcher)
    expect(page.locator("[data-drop]")).to_be_visible()
    Import.objects.update(state="cancelled", finished_at=timezone.now())
    choose_folder(page, folder)
    expect(page.locator("[data-line]")).to_contain_text("This import accepts no more files")
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)
    assert not Upload.objects.exists()


def test_a_running_import_is_followed_to_its_end_without_a_reload_by_hand(open_page, study, researcher):
    job = states(study)["running"]
    page = open_page(f"/studies/{study.slug}/imports/{job.public_id}/", researcher)
    expect(page.locator("[data-live=how_far]")).to_have_text("1,412 of 4,790")
    Import.objects.filter(pk=job.pk).update(steps=2000)
    expect(page.locator("[data-live=how_far]")).to_have_text("2,000 of 4,790")
    log = [*job.log, {"stage": "Adding pairs", "at": timezone.now().isoformat()}]
    Import.objects.filter(pk=job.pk).update(stage="Adding pairs", log=log)
    expect(page.locator("[data-log] [aria-current]")).to_contain_text("Adding pairs")
    Import.objects.filter(pk=job.pk).update(state="failed", reason="The disk is full.", finished_at=timezone.now())
    expect(page.get_by_text("The disk is full.")).to_be_visible()


def test_cancelling_asks_once(open_page, study, researcher):
    page = open_page(job_page(study), researcher)
    page.get_by_text("Cancel this import…").click()
    page.get_by_role("button", name="Cancel the import").click()
    expect(page.get_by_text("Import cancelled.")).to_be_visible()
    assert Import.objects.get().state == "cancelled"


def states(study: Any) -> dict[str, Import]:
    """Make an import in each of its states, with all that its page can show."""
    now = timezone.now()
    log = [
        {"stage": "Reading files", "at": (now - timedelta(minutes=5)).isoformat()},
        {"stage": "x", "at": now.isoformat()},
    ]
    tallies = {kind: {"added": 1204, "already_there": 3} for kind in ("prompts", "videos", "assets", "pairs")}
    differing = [{"kind": "video", "id": "p1-a", "file": "manifest.jsonl", "line": 7, "fields": ["licence", "seed"]}]
    report = tallies | {
        "imported": True,
        "batches_added": 8,
        "sampled": 120,
        "splits": {"train": 1080, "test": 116, "excluded": 8},
        "differences": 1,
        "differing": differing,
        "warnings": ["Two."],
    }

    def make(**values: Any) -> Import:
        return Import.objects.create(**{"study": study, "source": "server", "location": "/srv/in", "log": log} | values)

    uploaded = {"source": "upload", "location": ""}
    running = {"heartbeat_at": now, "fence": 1, "stage": "Storing files", "steps": 1412, "steps_total": 4790}
    made = {
        "collecting": make(state="collecting", **uploaded),
        "waiting": make(options={"dry_run": True}),
        "running": make(state="running", **running),
        "done": make(state="done", finished_at=now, report=report),
        "refused": make(state="refused", finished_at=now, bad_rows=2, report={"imported": False}),
        "failed": make(state="failed", finished_at=now, reason="The bucket does not let this server read it."),
        "cancelled": make(state="cancelled", finished_at=now, **uploaded),
    }
    row = (
        b'{"file": "a/very/long/path/to/a/manifest.jsonl", "line": 3, "field": "path", "reason": "It does not exist"}\n'
    )
    default_storage.save(job_progress.bad_rows_file(made["refused"]), ContentFile(row * 2))
    made["collecting"].uploads.create(path="p1/a-rather-long-name-of-a-clip-" * 3 + ".mp4", byte_size=9000, received=90)
    return made


def test_the_sample_and_the_splits_that_were_drawn_are_shown(open_page, study, researcher):
    job = states(study)["done"]
    page = open_page(f"/studies/{study.slug}/imports/{job.public_id}/", researcher)
    drawn = page.locator("section", has=page.get_by_role("heading", name="Sample and splits")).locator("dd b")
    expect(drawn).to_have_text(["120", "1,080", "116", "8"])
    Import.objects.filter(pk=job.pk).update(report=job.report | {"sampled": 0, "splits": {}})
    page.reload()
    expect(page.get_by_role("heading", name="Sample and splits")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_an_accessibility_fault_or_scrolls_sideways(open_page, study, researcher, size, scheme):
    base = f"/studies/{study.slug}/imports/"
    empty = factories.study()
    page = open_page(f"/studies/{empty.slug}/imports/", factories.member(empty, "admin"), viewport=SIZES[size])
    assert Axe().run(page).response["violations"] == []
    page = open_page(base + "new/", researcher, viewport=SIZES[size], color_scheme=scheme)
    for name, job in {"new": None, "list": None, **states(study)}.items():
        page.goto(f"{base}{job.public_id}/" if job else base + ("new/" if name == "new" else ""))
        if name == "collecting":
            expect(page.locator("[data-files] li")).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert [(name, v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], name


def test_everything_can_be_done_by_keyboard(open_page, study, researcher):
    page = open_page(f"/studies/{study.slug}/imports/", researcher)
    page.get_by_role("link", name="Start an import").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/new/$"))
    page.get_by_label("On this computer (upload)").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Path or s3:// address")).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Continue to the files").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-drop]")).to_be_visible()
    folder = page.get_by_label("Choose a folder")
    folder.focus()
    expect(folder).to_be_focused()
    with page.expect_file_chooser():
        page.keyboard.press("Enter")
