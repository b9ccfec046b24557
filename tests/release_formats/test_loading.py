"""A release is loaded with the libraries that researchers use, by the commands of docs/researcher.md."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from diptych.downloads import CopyFile
from media import names
from media.models import Asset
from release_formats import parquet_files
from release_formats.columns import Column
from releases import making
from releases.filters import Filter
from tests import factories
from tests.documents import code
from tests.production import ROOT
from tests.releases import material
from tests.releases.releasing import make

pytestmark = pytest.mark.long

FORMATS = ["jsonl", "parquet", "frames", "videos", "single_videos", "huggingface", "croissant"]


def python(program, folder):
    """Run a program in the folder, without a network. Return what it printed. Each library starts unused."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "HF_DATASETS_OFFLINE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def folder(django_db_setup, django_db_blocker, tmp_path_factory):
    """Return a folder with `release-1`, which has everything. No test changes it."""
    made = tmp_path_factory.mktemp("releases")
    with django_db_blocker.unblock(), transaction.atomic():
        study = factories.study()
        material.answered(study, 3, split="train")
        material.answered(study, 1, split="test")
        release = make(study, filter=Filter(decisions=("accepted", "none")), formats=FORMATS)
        assert (release.state, release.reason) == ("done", "")
        assert making.rebuild(release, made / "release-1") == []
        transaction.set_rollback(True)
    return made


@pytest.mark.parametrize(
    ("heading", "printed"),
    [
        ("Load it with datasets", "video_0"),
        ("Open the videos with datasets", ".mp4"),
        ("Load it with pandas", "video_0"),
        ("Load it with DuckDB", "video_0"),
        ("Load it with Python alone", ".7.jpg"),
    ],
)
def test_the_documented_commands_load_it(folder, heading, printed):
    assert printed in python(code(ROOT / "docs/researcher.md", "python", heading), folder)


def test_every_configuration_loads_in_datasets_with_its_stated_types(folder):
    program = """
import glob, yaml, pyarrow.parquet as pq
from datasets import Features, load_dataset, get_dataset_config_names
head = yaml.safe_load(open("release-1/README.md").read().split("---")[1])
names = get_dataset_config_names("release-1")
assert names == [one["config_name"] for one in head["configs"]], names
listed = set()
for config in head["configs"]:
    loaded = load_dataset("release-1", config["config_name"])
    for one in config["data_files"]:
        listed |= set(one["path"])
        table = pq.read_table(["release-1/" + path for path in one["path"]])
        assert loaded[one["split"]].num_rows == table.num_rows
        assert loaded[one["split"]].features == Features.from_arrow_schema(table.schema)
    print(config["config_name"], loaded["train"].num_rows)
assert listed == {path[10:] for path in glob.glob("release-1/*/t*.parquet")}, listed
"""
    rows = dict(line.split() for line in python(program, folder).splitlines())
    assert rows == {
        "pairs": "3",
        "tv_pairs": "6",
        "annotations": "3",
        "prompts": "3",
        "frames": "6",
        "video_archives": "6",
    }


def test_the_description_for_croissant_is_valid_and_its_first_records_are_read(folder):
    program = """
import json, mlcroissant
dataset = mlcroissant.Dataset("release-1/croissant.json")
assert not dataset.metadata.ctx.issues.errors, dataset.metadata.ctx.issues.errors
print(dataset.metadata.ctx.issues.warnings)
for record_set in dataset.metadata.record_sets:
    record = next(iter(dataset.records(record_set.uuid)))
    print(record_set.uuid, len(record))
"""
    printed = python(program, folder)
    assert printed.splitlines()[0] == "set()"
    assert len(printed.splitlines()) == 1 + 2 * 6


def test_a_video_folder_keeps_both_videos_of_a_pair(folder):
    program = """
from datasets import Video, load_dataset
pairs = load_dataset("videofolder", data_dir="release-1/videos", split="train")
for name in ("video_0", "video_1"):
    pairs = pairs.cast_column(name, Video(decode=False))
for pair in pairs:
    for name in ("video_0", "video_1"):
        assert open(pair[name]["path"], "rb").read(), pair
        assert pair[name + "_id"] in pair[name]["path"]
print(len(pairs))
"""
    assert python(program, folder).split() == ["4"]


class TestAwkwardRows:
    """Rows with which libraries that infer a schema fail, or disagree."""

    COLUMNS = (
        Column("pair_id"),
        Column("revised_because", nullable=True),
        Column("tags", "strings"),
        Column("viewing", "json"),
        Column("batch", "integer", nullable=True),
        Column("share", "number", nullable=True),
        Column("submitted_at", "moment"),
    )
    ROWS = 24_000

    def rows(self):
        """Yield rows in whose first half columns are null, empty or whole, and in whose second half they are not."""
        for number in range(self.ROWS):
            late = number >= self.ROWS // 2
            yield {
                "pair_id": f"{number:064x}",
                "revised_because": "reopened" if late else None,
                "tags": ["violence"] if late else [],
                "viewing": f'{{"k{number % 7}": 1}}' if late else "{}",
                "batch": number if number % 2 else None,
                "share": 0.5 if late else 1,
                "submitted_at": datetime(2026, 1, 2, 3, 4, 5, 678901 if number % 2 else 0, UTC),
            }

    def test_four_libraries_read_the_same(self, tmp_path):
        with (tmp_path / "train.parquet").open("wb") as file:
            parquet_files.write(self.COLUMNS, self.rows(), CopyFile(file))
        assert pq.ParquetFile(tmp_path / "train.parquet").metadata.num_row_groups > 1
        program = """
import datasets, duckdb, pandas, pyarrow.parquet
arrow = pyarrow.parquet.read_table("train.parquet").to_pylist()
def plain(rows):
    return [[list(value) if name == "tags" else None if pandas.isna(value) else
             value.isoformat() if name == "submitted_at" else value for name, value in row.items()] for row in rows]
other = datasets.load_dataset("parquet", data_files="train.parquet", split="train").to_list()
assert plain(other) == plain(arrow)
frame = pandas.read_parquet("train.parquet", dtype_backend="pyarrow")
assert plain(frame.to_dict("records")) == plain(arrow)
schema = pyarrow.parquet.read_schema("train.parquet")
assert duckdb.sql("FROM 'train.parquet'").to_arrow_table().cast(schema).to_pylist() == arrow
print(len(arrow))
"""
        assert python(program, tmp_path).split() == [str(self.ROWS)]


@pytest.mark.django_db
def test_prepared_videos_can_be_decoded_from_a_release(study, renditions, tmp_path):
    """Real clips go through the archive unchanged."""
    made = material.pairs(study, 1, split="train")
    for clip, video in zip(("moving", "still"), (made[0].video_0, made[0].video_1), strict=True):
        of_clip, asset = renditions[clip], video.asset
        with of_clip.playback.open("rb") as file:
            default_storage.save(names.playback(asset.public_id), File(file))
        sizes = asset.facts["files"] | {"playback.mp4": of_clip.playback.stat().st_size}
        playback = asset.facts["playback"] | {"sha256": of_clip.sha256}
        Asset.objects.filter(pk=asset.pk).update(facts={"playback": playback, "files": sizes})
    material.answer_all(study, made)
    release = make(study, filter=Filter(decisions=("accepted", "none")), formats=["videos"])
    assert (release.state, release.reason) == ("done", "")
    making.rebuild(release, tmp_path)
    program = """
import pyarrow.parquet, subprocess, tarfile
from diptych.embedded import binaries
for row in pyarrow.parquet.read_table("video_archives/train-00000-of-00001.parquet").to_pylist():
    with tarfile.open(row["shard"]) as archive:
        archive.extract(row["member"], "out", filter="data")
    decode = [binaries.ffmpeg(), "-v", "error", "-xerror", "-i", "out/" + row["member"], "-f", "null", "-"]
    subprocess.run(decode, check=True)
    print(row["video_id"])
"""
    assert len(python(program, tmp_path).split()) == 2
