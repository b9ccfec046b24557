"""Names in archives that do not state their encoding: when the person is asked, and when the manifest decides."""

import pytest

from catalog.models import Prompt, Video
from importing import job_work
from importing.models import Import
from studies.models import Study
from tests.importing.manifests import prompt, video
from tests.importing.test_import_command import run
from tests.sources.test_cases import manifest, of_names, zipped

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(tmp_path, settings):
    settings.IMPORT_ROOTS = [tmp_path]
    return tmp_path


def test_the_command_stops_before_it_creates_anything_and_goes_on_with_the_chosen_encoding(tmp_path):
    archive = of_names(tmp_path / "a.zip", "红球", "模型甲", "gbk", stated=False)
    _out, _err, error = run(archive)
    assert error.returncode == 2
    assert "GBK: “红球/" in str(error)
    assert "CP437: “║∞╟≥/" in str(error)
    assert "nothing was imported yet" in str(error)
    assert "--name-encoding" in str(error)
    assert not Study.objects.exists()
    assert run(archive, "--name-encoding", "gbk")[2] is None
    assert set(Video.objects.values_list("generator", flat=True)) == {"a", "模型甲"}


@pytest.mark.long
def test_a_program_is_asked_and_its_uploads_stay(study, researcher, api, tmp_path):
    client = api(researcher)
    content = of_names(tmp_path / "a.zip", "红球", "模型甲", "gbk", stated=False).read_bytes()
    job = client.post(f"/api/v1/studies/{study.slug}/imports/", {"source": "upload"}, format="json").json()
    address = f"/api/v1/imports/{job['id']}/"
    headers = {"Upload-Length": str(len(content)), "Upload-Metadata": "filename YS56aXA="}
    place = client.post(f"{address}uploads/", headers=headers)["Location"]
    kind = "application/offset+octet-stream"
    assert client.patch(place, content, content_type=kind, headers={"Upload-Offset": "0"}).status_code == 204
    client.post(f"{address}begin/")
    assert client.post(f"{address}again/").status_code == 409
    job_work.run(Import.objects.get().pk)
    stopped = client.get(address).json()
    assert (stopped["state"], Prompt.objects.count()) == ("failed", 0)
    assert {"gbk", "cp437"} <= set(stopped["name_readings"])
    assert stopped["name_readings"]["gbk"].startswith("“红球/")
    wrong = client.post(f"{address}again/", {"options": {"name_encoding": "nonsense"}}, format="json")
    assert wrong.status_code == 400
    again = client.post(f"{address}again/", {"options": {"name_encoding": "gbk"}}, format="json").json()
    assert (again["id"], again["state"], again["name_readings"]) == (job["id"], "waiting", {})
    job_work.run(Import.objects.get().pk)
    assert client.get(address).json()["state"] == "done"
    assert Prompt.objects.get().source_id == "红球"


ONE, OTHER = "水.mp4", "球.mp4"


def beside(*videos):
    """Return the members of an archive: a manifest with these paths, and three files."""
    lines = [prompt("p"), *(video(f"p-{number}", path=path) for number, path in enumerate(videos))]
    return {name.encode("gbk"): name.encode() for name in (ONE, OTHER, "b.mp4")} | {b"manifest.jsonl": manifest(*lines)}


@pytest.mark.parametrize(
    ("members", "decided"),
    [
        (beside(ONE, OTHER), True),
        (beside(ONE, "b.mp4"), True),  # one reading has the one name that the manifest needs
        (beside("b.mp4"), True),  # the manifest needs no name whose encoding is unknown
        (
            {
                "数据/manifest.jsonl".encode("gbk"): manifest(prompt("p"), video("p-a", path="c.mp4")),
                "数据/c.mp4".encode("gbk"): b"c",
            },
            True,
        ),
        (beside("火.mp4"), False),  # no reading has the name
        (beside(ONE, "╦«.mp4"), False),  # the paths fit two readings equally well
    ],
)
def test_a_manifest_decides_unless_it_fits_no_reading_or_two(root, members, decided):
    archive = zipped(root / "a.zip", members)
    _out, _err, error = run(archive, "--dry-run")
    assert ("does not state the encoding" not in str(error)) is decided
    assert error is None or not decided
