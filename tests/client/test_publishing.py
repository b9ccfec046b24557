"""`diptych publish` against a stand-in of the Hub: what it has at the end, and in which order it gets it."""

import json
import signal
import threading

import pytest
import yaml

from diptych_client.commands.exit_codes import Exit
from releases import making
from tests.client.conftest import ANY_DECISION
from tests.client.hub import publisher, running_hub
from tests.releases.releasing import make

pytestmark = pytest.mark.django_db(transaction=True)
REPO = "lab/my-study"


@pytest.fixture
def hub():
    with running_hub() as hub:
        yield hub


@pytest.fixture
def folder(as_published, tmp_path):
    """Return a folder with a release as the Hub takes it."""
    assert making.rebuild(as_published(), tmp_path / "mine") == []
    return tmp_path / "mine"


@pytest.fixture
def signed_in(diptych, hub):
    return publisher(diptych, hub)


def publish(*more):
    return ("publish", "mine", "--to", "hf", "--repo", REPO, *more)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.long
def test_a_release_is_uploaded_in_private_behind_a_gate_and_then_tagged(signed_in, hub, folder):
    released = contents(folder)
    (folder / "notes [1].txt").write_text("not of the release")
    said = json.loads(signed_in.done(*publish("--json")))
    dataset = hub.datasets[REPO]
    assert dataset.contents() == dataset.contents("release-1") == released
    assert (dataset.private, dataset.gated, dataset.tags) == (True, "manual", {"release-1": dataset.sha})
    assert said == {
        "repo": REPO,
        "address": f"{hub.address}/datasets/{REPO}",
        "tag": "release-1",
        "commit": dataset.sha,
    }
    first, *commits, last = hub.events[1:]
    assert (hub.events[0][0], first[0], last) == ("create", "settings", ("tag", True, "manual"))
    assert set(commits) == {("commit", True, "manual")}
    number = len(dataset.commits)
    signed_in.done(*publish("--public"))  # the release is there: the dataset is only shown
    assert (dataset.private, dataset.gated, len(dataset.commits)) == (False, "manual", number)


@pytest.mark.long
def test_it_is_opened_only_when_asked_and_at_the_end(signed_in, hub, folder):
    signed_in.done(*publish("--public", "--gate", "auto"))
    assert [event[0] for event in hub.events][-2:] == ["tag", "settings"]
    assert hub.events[-1] == ("settings", False, "auto")
    assert all(is_private for _what, is_private, _gated in hub.events[:-1])


@pytest.mark.long
@pytest.mark.parametrize("files", [pytest.param(0, marks=pytest.mark.long), 1, pytest.param(3, marks=pytest.mark.long)])
def test_a_killed_upload_goes_on_and_ends_with_the_same(signed_in, hub, folder, files):
    reached, left = threading.Event(), [files]

    def stop_here():
        left[0] -= 1
        if left[0] < 0:
            reached.set()
            threading.Event().wait(5)  # the upload is killed meanwhile

    hub.before_large = stop_here
    running = signed_in.begin(*publish())
    assert reached.wait(60)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert hub.datasets[REPO].tags == {}
    assert hub.datasets[REPO].private
    hub.before_large = lambda: None
    signed_in.done(*publish())
    assert hub.datasets[REPO].contents("release-1") == contents(folder)


@pytest.mark.long
def test_the_next_release_replaces_the_files_and_the_first_stays_under_its_tag(signed_in, hub, folder, study, tmp_path):
    signed_in.done(*publish("--public", "--gate", "auto"))
    first = contents(folder)
    folder.rename(tmp_path / "first")
    following = make(study, parent=1, formats=["jsonl", "parquet", "huggingface"], filter=ANY_DECISION)
    assert making.rebuild(following, tmp_path / "mine") == []
    signed_in.done(*publish())
    dataset = hub.datasets[REPO]
    assert dataset.contents("release-2") == dataset.contents() == contents(tmp_path / "mine")
    assert dataset.contents("release-1") == first
    assert "frames" not in {path.partition("/")[0] for path in dataset.contents()}
    assert (dataset.private, dataset.gated) == (False, "auto")
    (tmp_path / "mine").rename(tmp_path / "second")
    (tmp_path / "first").rename(tmp_path / "mine")
    signed_in.done(*publish())  # release 1 again: it is there, and the newer one stays in front
    assert dataset.contents() == contents(tmp_path / "second")


@pytest.mark.long
class TestWhatIsNotPublished:
    @pytest.mark.long
    def test_a_dataset_with_other_files_and_another_release_under_the_same_tag(self, signed_in, hub, folder):
        signed_in.done(*publish())
        manifest = json.loads((folder / "manifest.json").read_text())
        for changed, said in (({"study": "another"}, "no release of the study another"), ({"family": 99}, "release-1")):
            (folder / "manifest.json").write_text(json.dumps(manifest | changed))
            status, sentence = signed_in.refused(*publish())
            assert (status, said in sentence) == (Exit.FOLDER, True)

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"licence": "LicenseRef-Internal"}, "nobody outside"),
            ({"with_weights": True}, "weights"),
            ({"external": {}}, "of your own studies"),
            ({"files": []}, "format huggingface"),
        ],
    )
    def test_a_release_that_is_not_for_others(self, signed_in, hub, folder, changed, said):
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | changed))
        status, sentence = signed_in.refused(*publish())
        assert (status, said in sentence) == (Exit.FAILED, True)
        assert hub.datasets == {}

    def test_a_folder_with_other_bytes_than_its_manifest(self, signed_in, hub, folder):
        with (folder / "pairs.jsonl").open("a") as file:
            file.write("\n")
        assert signed_in.refused(*publish())[0] == Exit.FOLDER
        assert hub.datasets == {}


@pytest.mark.long
class TestRefusals:
    def test_of_the_hub(self, signed_in, hub, folder):
        status, sentence = signed_in.refused("publish", "mine", "--to", "hf", "--repo", "others/theirs")
        assert (status, "rights" in sentence) == (Exit.NOT_ALLOWED, True)
        assert signed_in.refused("publish", "mine", "--to", "hf", "--repo", "a b")[0] == Exit.USAGE
        signed_in.variables["HF_TOKEN"] = "hf_" + "b" * 34
        assert signed_in.refused(*publish())[0] == Exit.NOT_SIGNED_IN

    def test_without_a_sign_in_or_a_hub(self, signed_in, hub, folder):
        del signed_in.variables["HF_TOKEN"]
        assert signed_in.refused(*publish())[0] == Exit.NOT_SIGNED_IN
        status, sentence = signed_in.refused(*publish(), HF_ENDPOINT="http://127.0.0.1:9", HF_TOKEN="hf_" + "a" * 34)
        assert (status, "cannot be reached" in sentence) == (Exit.UNREACHABLE, True)


@pytest.mark.long
def test_the_description_warns_of_the_content_and_asks_who_wants_access(folder):
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert "not-for-all-audiences" in head["tags"]
    assert "harmful" in head["extra_gated_prompt"]
    assert len(head["extra_gated_fields"]) > 1
