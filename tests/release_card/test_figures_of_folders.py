"""The figures of a release folder are those of the release, and a published dataset has figures too."""

import io
import json
import shutil

import orjson
import pytest
from django.core.management import CommandError, call_command

from catalog.models import Label, Pair
from diptych_client.release_folder import FolderError, Release
from media.models import Asset
from release_card.figures import folders
from releases import making
from tests import factories
from tests.release_card.carded import answered_study, card_of

pytestmark = pytest.mark.django_db


def labelled_study(study):
    """Let programs choose, tie and refuse, on pairs and on videos, with choices, numbers and words."""
    answered_study(study)
    pairs = list(Pair.objects.filter(study=study).order_by("pk"))
    other = {"labeller": "other", "labeller_version": "2", "setting": "8 frames"}
    for number, pair in enumerate(pairs):
        said = [{"value": "tie"}, {"value": "video_1"}, {"value": None, "refused": True}][number % 3]
        factories.label(study, pair=pair, question="aesthetics", **other, **said)
        factories.label(study, pair=pair, question="charm", value="video_1", **other)  # people are not asked this
        factories.label(study, prompt=pair.prompt, question="crime", value=True, **other)
        for place, video in enumerate((pair.video_0, pair.video_1)):
            factories.label(study, video=video, question="clip", value=(number + place) % 2 - 0.5)
            factories.label(study, video=video, question="violence", value=bool(place), **other)
            factories.label(study, video=video, question="mood", value="warm")  # a word is no number
            if number != 2:
                silent = number == 3 and not place
                factories.label(study, video=video, question="hate", value=None if silent else 3, refused=silent)
    Asset.objects.filter(pk=pairs[0].video_0.asset_id).update(facts={"psnr_to_first": [30.0, 20.5]})
    Asset.objects.filter(pk=pairs[0].video_1.asset_id).update(facts={"psnr_to_first": [20.25]})


@pytest.fixture
def folder(study, tmp_path):
    """Return a release folder with labels, and its `card.json`."""
    labelled_study(study)
    release, numbers = card_of(study)
    assert making.rebuild(release, tmp_path) == []
    return tmp_path, numbers


def printed(path):
    out = io.StringIO()
    call_command("folder_figures", str(path), stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.long
def test_a_folder_has_the_figures_of_its_release(folder):
    path, numbers = folder
    programs = numbers["figures"]["labellers"]
    assert {row["name"] for row in programs} == {
        *("aesthetics", "clip", "hate", "helpfulness", "psnr_to_first", "violence"),
    }
    assert {row["labeller"] for row in programs} == {"judge", "other", "judge-x", "diptych"}
    assert sum(row["refused"] for row in programs) > 0
    assert printed(path) == numbers["figures"]


@pytest.mark.long
def test_a_folder_without_labels_compares_no_programs(study, tmp_path):
    answered_study(study)
    Label.objects.all().delete()
    release, numbers = card_of(study)
    assert making.rebuild(release, tmp_path) == []
    assert list(Release.open(tmp_path).labels()) == []
    assert printed(tmp_path) == numbers["figures"]


@pytest.mark.long
def test_labels_are_read_by_prompt(folder):
    path, _numbers = folder
    found = list(Release.open(path).labels())
    assert [one.prompt_id for one in found] == sorted(one.prompt_id for one in found)
    assert len(found) == sum(1 for _line in (path / "labels.jsonl").open())
    assert {type(one.value) for one in found} == {str, float, int, bool, type(None)}


@pytest.mark.long
def test_damaged_labels_are_refused_with_their_line(folder, tmp_path_factory):
    path, _numbers = folder
    copy = tmp_path_factory.mktemp("copies") / "release"
    shutil.copytree(path, copy)
    first, *rest = (copy / "labels.jsonl").read_bytes().splitlines(keepends=True)
    line = orjson.loads(first)
    del line["labeller"]
    (copy / "labels.jsonl").write_bytes(orjson.dumps(line) + b"\n" + b"".join(rest))
    with pytest.raises(FolderError, match=r"labels\.jsonl, line 1: 'labeller' is missing"):
        folders.figures_of(Release.open(copy))
    (copy / "labels.jsonl").unlink()
    with pytest.raises(CommandError, match=r"labels\.jsonl does not exist"):
        printed(copy)
