"""The Parquet files of a release: typed, sorted, bounded, and the same bytes twice."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diptych.downloads import CopyFile
from release_formats import columns, parquet_files, tables
from release_formats.columns import Column
from releases import making
from releases.filters import Filter
from releases.models import Release
from tests import factories
from tests.releases.releasing import accepted, answered, ask, lines, make, stored

pytestmark = pytest.mark.django_db

FORMATS = ["jsonl", "parquet"]
EVERYTHING = Filter(decisions=("accepted", "none"))


def table(release, path):
    """Return a Parquet file of a release."""
    return pq.read_table(io.BytesIO(stored(release, path)))


def written(of_columns, rows):
    """Return the bytes of a Parquet file with these rows."""
    file = io.BytesIO()
    parquet_files.write(of_columns, rows, CopyFile(file))
    return file.getvalue()


@pytest.fixture
def release(study):
    """A release with two parts, an invalid answer, a comment and a tie."""
    study.allow_ties = True
    study.save()
    person = factories.member(study, "annotator")
    answered(study, person, pairs=2, said={"comment": "A remark"})
    about = factories.prompt(study, split="train", labels=["crime"], labelled_by="model 1")
    factories.pair(study, prompt=about)
    tie = factories.body()["helpfulness"] | {"overall": "tie"}
    factories.answer(person, study, helpfulness=tie)
    factories.pair(study)
    contradiction = {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}
    factories.answer(person, study, harmlessness=contradiction)
    return make(study, filter=EVERYTHING, formats=FORMATS, with_invalid=True, with_comments=True)


def test_the_tables_have_the_records_of_the_json_lines(release):
    assert (release.state, release.reason) == ("done", "")
    paths = {file.path for file in release.files.all() if file.path.endswith(".parquet")}
    of_part = {f"{name}/{part}-00000-of-00001.parquet" for name in NAMES for part in ("train", "excluded")}
    assert paths == of_part | {"invalid/excluded-00000-of-00001.parquet"}
    for name in (*NAMES, "invalid"):
        rows = [
            row for path in sorted(paths) if path.startswith(f"{name}/") for row in table(release, path).to_pylist()
        ]
        records = lines(release, f"{name}.jsonl")
        assert len(rows) == len(records) > 0
        by_line = {line[KEY[name]]: line for line in records}
        for row in rows:
            line = by_line[row[KEY[name]]]
            same = set(row) & set(line) - DIFFERENT
            assert {key: row[key] for key in same} == {key: line[key] for key in same}
        ids = [row["prompt_id"] for row in table(release, sorted(paths)[0]).to_pylist()]
        assert ids == sorted(ids)


NAMES = ("pairs", "tv_pairs", "annotations", "prompts")
KEY = {"pairs": "pair_id", "tv_pairs": "video_id", "annotations": "annotation_id", "prompts": "prompt_id"}
KEY["invalid"] = "annotation_id"
#: Nested in the JSON Lines, or of another type there.
DIFFERENT = {"settings", "prompt_labels", "timings_ms", "viewing", "presentation", "helpfulness", "harmlessness"}
DIFFERENT |= {"leased_at", "submitted_at"}


@pytest.mark.long
def test_nested_values_are_flat_and_open_objects_are_json(release):
    [row] = table(release, "pairs/train-00000-of-00001.parquet").to_pylist()
    assert (row["helpfulness"], row["helpfulness_n_tie"], row["helpfulness_share_video_1"]) == (None, 1, None)
    assert (row["harmlessness"], row["harmlessness_share_video_1"]) == ("video_0", 0.0)
    [row] = table(release, "annotations/train-00000-of-00001.parquet").to_pylist()
    [line] = [one for one in lines(release, "annotations.jsonl") if one["part"] == "train"]
    assert json.loads(row["presentation"]) == line["presentation"]
    assert (row["helpfulness"], row["tags_video_1"]) == ("tie", ["violence"])
    assert row["submitted_at"].isoformat() == line["submitted_at"]
    assert table(release, "prompts/train-00000-of-00001.parquet").to_pylist()[0]["prompt_labels"] == ["crime"]


@pytest.mark.parametrize("with_times", [False, True])
def test_the_schema_is_that_of_the_columns(study, with_times):
    accepted(*answered(study))
    release = make(study, formats=["parquet"], with_times=with_times)
    of_file = table(release, "annotations/excluded-00000-of-00001.parquet").schema
    assert of_file.equals(parquet_files.schema_of(columns.of_annotations(release)))
    assert of_file.field("submitted_at").type == (pa.timestamp("us", "UTC") if with_times else pa.date32())
    assert not of_file.field("lots" if "lots" in of_file.names else "reviews").nullable


def test_a_rebuild_has_the_same_bytes_whatever_the_chunks_are(release, tmp_path, monkeypatch):
    monkeypatch.setattr("releases.items.CHUNK", 1)
    assert making.rebuild(release, tmp_path) == []


@pytest.mark.long
def test_a_table_of_many_rows_has_several_files_of_a_part(study, monkeypatch, tmp_path):
    accepted(*answered(study, pairs=3))
    whole = make(study, formats=["parquet"])
    monkeypatch.setattr(tables, "ROWS_A_FILE", 2)
    several = make(study, formats=["parquet"])
    paths = [f"pairs/excluded-0000{number}-of-00002.parquet" for number in (0, 1)]
    rows = [table(several, path).to_pylist() for path in paths]
    assert [len(one) for one in rows] == [2, 1]
    assert rows[0] + rows[1] == table(whole, "pairs/excluded-00000-of-00001.parquet").to_pylist()
    assert making.rebuild(several, tmp_path) == []


@pytest.mark.long
def test_a_worker_that_takes_over_continues_after_the_last_file(study, monkeypatch):
    accepted(*answered(study, pairs=3))
    monkeypatch.setattr(tables, "ROWS_A_FILE", 1)
    whole, again = make(study, formats=["parquet"]), ask(study, formats=["parquet"])
    write, calls = parquet_files.write, []

    def fails_once(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError("away")
        write(*arguments)

    monkeypatch.setattr(parquet_files, "write", fails_once)
    making.run(again.pk)
    assert again.files.exclude(kind="card").count() == 2
    Release.objects.filter(pk=again.pk).update(wait_until=None)
    making.run(again.pk)
    for path in [f"pairs/excluded-0000{number}-of-00003.parquet" for number in range(3)]:
        assert stored(again, path) == stored(whole, path)


class TestFile:
    COLUMNS = (Column("a"), Column("n", "integer", nullable=True))

    def test_row_groups_are_bounded_in_rows_and_in_bytes(self, monkeypatch):
        monkeypatch.setattr(parquet_files, "ROWS_A_GROUP", 500)
        rows = [{"a": "x" * 100, "n": number} for number in range(1100)]
        file = pq.ParquetFile(io.BytesIO(written(self.COLUMNS, rows)))
        assert [file.metadata.row_group(number).num_rows for number in range(3)] == [500, 500, 100]
        monkeypatch.setattr(parquet_files, "BYTES_A_GROUP", 30_000)
        file = pq.ParquetFile(io.BytesIO(written(self.COLUMNS, rows)))
        assert file.metadata.num_row_groups == 5
        assert file.read().to_pylist() == rows

    def test_it_is_compressed_with_zstd_and_has_the_same_bytes_twice(self):
        rows = [{"a": str(number), "n": None} for number in range(300)]
        first = written(self.COLUMNS, rows)
        assert first == written(self.COLUMNS, rows)
        assert pq.ParquetFile(io.BytesIO(first)).metadata.row_group(0).column(0).compression == "ZSTD"

    @pytest.mark.parametrize("wrong", [{"a": "x"}, {"a": None, "n": 1}, {"a": 1, "n": 1}, {"a": "x", "n": 1.5}])
    def test_a_row_that_does_not_fit_is_refused(self, wrong):
        with pytest.raises((KeyError, pa.ArrowException)):
            written(self.COLUMNS, [wrong])

    def test_a_column_has_a_known_kind(self):
        with pytest.raises(ValueError, match="no kind"):
            Column("a", "float")
