"""The Python of the researchers' page, run on a release."""

import sys
from types import SimpleNamespace

import pytest

from releases import making
from tests import factories
from tests.documents import code
from tests.production import ROOT
from tests.release_formats.published_loader import is_complete, load
from tests.releases.releasing import accepted, answered, make

pytestmark = pytest.mark.django_db
PAGE = ROOT / "docs" / "researcher.md"


@pytest.fixture
def folder(study, tmp_path, monkeypatch):
    """Write a release where the page expects it, and go there."""
    prompt = factories.prompt(study, split="train", labels=["crime"], labelled_by="model 1")
    accepted(*answered(study, prompt=prompt))
    making.rebuild(make(study, formats=["jsonl", "safesora"]), tmp_path / "release-1")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "release-1"


def test_a_release_is_read_as_the_page_says(folder, study, capsys):
    exec(code(PAGE, "python", "Releases", "Read a release in Python"), {})
    about, pair, tags = capsys.readouterr().out.splitlines()
    assert about == f"{study.title} CC-BY-4.0 []"
    assert pair.endswith("train 1 video_0 0.0")
    assert tags == "() ('violence',)"


@pytest.mark.long
def test_it_is_loaded_as_the_page_says(folder, monkeypatch):
    """The package of the published dataset needs torch, so its place is taken by what it reads, written again."""

    def dataset(kind):
        return SimpleNamespace(load=lambda path, video_dir=None: load(folder.parent / path, kind, video_dir))

    kinds = {"PairDataset": "SafeSora", "VideoDataset": "SafeSora-Label", "PromptDataset": "SafeSora-Prompt"}
    names = {name: dataset(kind) for name, kind in kinds.items()}
    monkeypatch.setitem(sys.modules, "safe_sora", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "safe_sora.datasets", SimpleNamespace(**names))
    loaded = {}
    exec(code(PAGE, "python", "Releases", "Load a release in the published loader"), loaded)
    assert [len(loaded[name]) for name in ("pairs", "labels", "prompts")] == [1, 2, 0]
    assert all(is_complete(record) for record in loaded["pairs"] + loaded["labels"])
    assert loaded["pairs"][0]["video_1"]["video_path"].startswith("release-1/videos/")
