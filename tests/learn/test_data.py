"""A release folder as arrays: of this platform, and of a published dataset."""

import subprocess
import sys

import numpy as np
import pytest

from diptych_client import Release
from diptych_client.release_folder.safesora import convert
from diptych_client.release_folder.vocabulary import QUESTIONS
from releases import making
from releases.filters import Filter
from tests.client.published import dataset
from tests.learn import planted
from tests.releases import material
from tests.releases.releasing import make
from training.learn import data, frames
from training.learn.events import Failed


def test_the_programs_load_neither_django_nor_an_app_and_the_package_loads_no_torch():
    program = (
        "import sys, training.learn.preflight, training.learn.score; "
        "found = {name.partition('.')[0] for name in sys.modules}; "
        "sys.exit(bool(found & {'django', 'diptych', 'studies', 'transformers'}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    program = "import sys, training.learn; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.django_db
def test_a_release_of_the_platform_is_read(study, tmp_path):
    material.answered(study, 3, split="train")
    release = make(study, filter=Filter(decisions=("none",)), formats=["jsonl", "frames"])
    making.rebuild(release, tmp_path)
    folder = data.open_release(tmp_path)
    tables = data.read(folder)
    assert (len(tables.prompt_ids), len(tables.video_ids), len(tables.pair_ids)) == (3, 6, 3)
    assert [tables.pair_ids[row] for row in range(3)] == [pair.pair_id for pair in folder.pairs()]
    lines = list(folder.annotations())
    assert tables.answer_id.tolist() == [line["annotation_id"] for line in lines]
    column = tables.answer_choice[:, QUESTIONS.index("helpfulness")]
    assert [data.CHOICES[one] for one in column] == [line["helpfulness"]["overall"] for line in lines]
    assert {len(pictures) for _video, pictures in frames.of_release(folder)} == {8}
    assert {video for video, _pictures in frames.of_release(folder)} == {one.video_id for one in folder.tv_pairs()}


def test_a_published_dataset_is_read_and_its_counts_are_answers(tmp_path):
    convert(dataset(tmp_path / "published"), tmp_path / "external")
    tables = data.read(data.open_release(tmp_path / "external"))
    column = QUESTIONS.index("helpfulness")
    said = tables.answer_choice[:, column]
    assert (said >= 0).sum() == 5
    assert set(tables.answer_id.tolist()) == {-1}
    judged = tables.video_tags[tables.video_tags[:, -1] > 0]
    assert judged[:, data.TAGS.index(data.ANY_HARM)].sum() > 0
    with pytest.raises(Failed, match="has no frames"):
        next(frames.of_release(Release.open(tmp_path / "external")))


def test_a_tenth_of_the_training_clusters_validates_and_the_seed_decides_which(world):
    tables = data.read(Release.open(world.folder))
    first, again, other = tables.validating(1), tables.validating(1), tables.validating(2)
    assert (first == again).all()
    assert not (first == other).all()
    assert first.sum() == other.sum() == 10
    assert all(name.startswith("train-") for name in np.array(tables.clusters)[first])
    part = tables.parts_of(np.arange(len(tables.prompt_ids)), 1)
    assert ((part == -1) == first[tables.prompt_cluster]).all()


@pytest.mark.parametrize("name", ["annotations.jsonl", "pairs.jsonl"])
def test_lines_in_another_order_are_refused(tmp_path, name):
    world = planted.write(tmp_path, planted.World(**planted.TINY))
    path = world.folder / name
    path.write_text("".join(path.read_text().splitlines(keepends=True)[::-1]))
    with pytest.raises(Failed, match="order of prompt"):
        data.read(Release.open(tmp_path))
