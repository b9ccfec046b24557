"""Files with a known hash are not imported, and the person who imports does not learn why."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from accounts.models import AuditEvent
from catalog.models import Pair, Prompt, Video
from diptych.refusals import Refused
from media.hashing import sha256_of
from media.models import Asset
from media.quarantined import dark
from safety import known_hashes, quarantine
from safety.models import RefusedFile
from studies.models import Study
from tests import factories
from tests.importing import manifests

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    dark.forget()  # rows of other tests were rolled back


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make two prompts with two videos each, and their pairs."""
    lines = manifests.prompts_with_videos(2, 2)
    lines += [manifests.pair("p0-a", "p0-b"), manifests.pair("p1-a", "p1-b")]
    return manifests.write(tmp_path / "import", lines)


def sha256(folder: Path, key: str) -> str:
    with (folder / "clips" / f"{key}.mp4").open("rb") as file:
        return sha256_of(file)


@pytest.fixture
def known(settings: Any, folder: Path, tmp_path: Path) -> str:
    """Put the SHA-256 of one file of the import into the operator's list."""
    digest = sha256(folder, "p0-a")
    listing = tmp_path / "known.txt"
    listing.write_text(f"# from a hotline\n\n{digest.upper()}  case 17\n{'0' * 64}\n")
    settings.KNOWN_HASHES_FILE = str(listing)
    return digest


def never_imported() -> bool:
    return not (Study.objects.exists() or Prompt.objects.exists() or Asset.objects.exists())


def test_a_listed_file_keeps_the_import_out_and_leaves_nothing_of_itself(folder, known, tmp_path):
    report = manifests.imported(folder)
    assert not report.imported
    assert never_imported()
    assert not (tmp_path / "media").exists()
    assert {row.field for row in report.bad} == {"path", "video_0"}


def test_what_is_refused_says_nothing_of_content_hash_or_list(folder, known):
    said = " ".join(str(row) for row in manifests.imported(folder).bad).lower()
    assert "clips/p0-a.mp4 is not accepted" in said
    for word in (known, "hash", "illegal", "abuse", "known", "quarantine", "hotline", "list"):
        assert word not in said


def test_the_rest_can_be_imported_without_it(folder, known):
    report = manifests.imported(folder, skip_bad=True)
    assert report.imported
    assert Video.objects.count() == 3
    assert not Asset.objects.filter(sha256=known).exists()
    assert not default_storage.exists(f"originals/{known[:2]}/{known}")
    assert Pair.objects.count() == 1


def test_each_attempt_is_noted_for_the_safety_officers_also_of_a_dry_run(folder, known):
    manifests.imported(folder)
    manifests.imported(folder, dry_run=True)
    row = RefusedFile.objects.get()
    assert (row.study_slug, row.sha256, row.name, row.times) == ("colours", known, "clips/p0-a.mp4", 2)
    assert row.refused_by == "safety.known_hashes.listed"
    assert AuditEvent.objects.filter(action="file.refused", study_slug="colours").count() == 2


def test_what_is_in_quarantine_cannot_come_in_again_under_another_study(folder, study, annotator):
    asset = factories.asset(sha256=sha256(folder, "p1-b"))
    prompt = factories.prompt(study)
    pair = factories.pair(study, prompt=prompt, video_0=factories.video(prompt, asset=asset))
    quarantine.report(pair, ["video_0"], by=annotator)
    dark.forget()

    report = manifests.imported(folder, skip_bad=True)

    assert [row.reason for row in report.bad if row.field == "path"] == [
        "clips/p1-b.mp4 is not accepted. Do not change the file, and ask a safety officer of the study"
    ]
    assert not Video.objects.filter(study__slug="colours", asset=asset).exists()
    assert RefusedFile.objects.get().refused_by == "safety.known_hashes.in_quarantine"


def by_name(sha256: str, path: Path) -> str | None:
    """Check a file by name, as an operator's own check."""
    return "It has that name." if path.name == "p1-a.mp4" else None


def broken(sha256: str, path: Path) -> str | None:
    raise ConnectionError("the service is away")


def test_operators_plug_in_checks_of_their_own(folder, settings):
    settings.KNOWN_HASH_CHECKS = [f"{__name__}.by_name"]
    assert not manifests.imported(folder).imported
    assert RefusedFile.objects.get().reason == "It has that name."


def test_nothing_comes_in_while_a_check_does_not_work(folder, settings):
    settings.KNOWN_HASH_CHECKS = [f"{__name__}.broken"]
    with pytest.raises(Refused, match="broken of KNOWN_HASH_CHECKS failed"):
        manifests.imported(folder)
    assert never_imported()


@pytest.mark.parametrize("content", [None, "not a hash\n", "abcdef\n"])
def test_a_list_that_cannot_be_read_stops_the_import(folder, settings, tmp_path, content):
    listing = tmp_path / "known.txt"
    if content is not None:
        listing.write_text(content)
    settings.KNOWN_HASHES_FILE = str(listing)
    with pytest.raises(Refused):
        manifests.imported(folder)


def test_a_list_that_grows_is_read_anew(folder, known, settings):
    other = sha256(folder, "p1-a")
    assert known_hashes.listed(other, folder) is None
    with open(settings.KNOWN_HASHES_FILE, "a") as listing:
        listing.write(f"{other}\n")
    assert known_hashes.listed(other, folder)
