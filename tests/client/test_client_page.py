"""The commands and programs of docs/client.md, run as they are written."""

import json

import pytest

from accounts.models import Consent
from accounts.tokens import issue_token
from annotation.models import Annotation
from diptych_client.release_folder import Release as Folder
from studies.models import Membership
from tests import factories
from tests.client.conftest import released
from tests.client.hub import publisher, running_hub
from tests.client.published import dataset
from tests.documents import blocks, code, commands
from tests.media.workers import Worker
from tests.production import ROOT
from tests.releases import material

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = ROOT / "docs" / "client.md"
EVERYTHING = ("jsonl", "parquet", "videos", "frames", "huggingface")


@pytest.fixture
def study(db):
    """Return the study of the page."""
    return factories.study(slug="my-study")


@pytest.fixture
def written(diptych, server, token):
    """Return a function that runs the commands below a heading, except installations, and returns what they print."""

    def run(*headings):
        said = f"{token}\n"
        lines = [line for line in commands(PAGE, *headings) if "pip install" not in line]
        return [diptych.shell(line.replace("https://diptych.example.org", server), said=said) for line in lines]

    (diptych.folder / "token.txt").write_text(token)
    return run


@pytest.mark.long
def test_the_quick_start_ends_with_a_loaded_release(written, diptych, study):
    released(study)
    _signed_in, studies, releases, pulled, card = written("Quick start")
    assert "my-study" in studies
    assert releases.splitlines()[1].split()[:2] == ["1", "done"]
    assert pulled.startswith("my-study-1: ")
    assert card.startswith("# ")
    printed = diptych.python(code(PAGE, "python", "Quick start")).split()
    assert printed[1:4] == ["train", "1", "video_0"]


@pytest.mark.long
def test_signing_in_and_downloading(written, diptych, study, tmp_path):
    released(study)
    written("Step by step", "Sign in")
    _first, _second, third = written("Step by step", "Download a release")
    assert json.loads(third)["downloaded_bytes"] == 0  # the folder of the first command
    assert Folder.open(tmp_path / "newest").check() == []
    printed = diptych.python(code(PAGE, "python", "Step by step", "Read a release"))
    assert printed.count("900 bytes of video 8 pictures") == 2


@pytest.mark.long
def test_converting(written, tmp_path):
    dataset(tmp_path / "SafeSora")
    written("Step by step", "Convert a published dataset")
    assert Folder.open(tmp_path / "external").licence == "CC-BY-NC-4.0"


@pytest.mark.long
def test_publishing(signed_in, written, study):
    released(study, formats=EVERYTHING)
    signed_in.done("pull", "my-study")
    with running_hub() as hub:
        publisher(signed_in, hub)
        written("Step by step", "Publish a release")
        assert (hub.datasets["my-lab/my-study"].private, hub.datasets["my-lab/my-study"].gated) == (False, "auto")


def test_a_program_goes_from_nothing_to_a_loaded_dataset(diptych, server, study, token, tmp_path):
    """An annotator agrees and answers, a researcher has a release made by a worker, downloads it, and loads it."""
    material.pairs(study, 2, split="train")
    annotator = factories.person()
    Membership.objects.create(study=study, person=annotator, role="annotator")
    heading = "Answer, review and release with a program"
    answering, releasing = (
        block.text for block in blocks(PAGE) if block.language == "python" and block.headings[-1] == heading
    )
    diptych.sign_in(server, issue_token(annotator, scopes=["annotate"]))
    assert diptych.python(answering).count("'counted': True") == 2
    assert set(Consent.objects.get(user=annotator).categories) == set(study.categories)
    diptych.sign_in(server, token)
    worker = Worker("--pool", "solo")
    try:
        assert diptych.python(releasing).strip() == str(tmp_path / "my-study-1")
    finally:
        worker.stop()
    loaded = Folder.open(tmp_path / "my-study-1")
    answered = Annotation.objects.values_list("assignment__pair__public_id", flat=True)
    pairs = list(loaded.pairs())
    assert sorted(pair.pair_id for pair in pairs) == sorted(answered)
    assert [(pair.n, pair.decided("harmlessness")) for pair in pairs] == [(1, "video_0")] * 2
    assert [picture[:2] for picture in loaded.frames(pairs[0].video_1)] == [b"\xff\xd8"] * 8
