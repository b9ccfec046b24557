"""Which fields of a record may change after a release, compared with the lines of the export."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from annotation.models import Annotation, Assignment, Standing
from catalog.models import Batch, Pair, Prompt, Video
from exports import annotations, records
from studies.models import Study
from tests import factories

pytestmark = pytest.mark.django_db

#: Columns that never change: keys under which a row is published, and the round of an assignment.
GIVEN_ONCE = {
    *("pair.public_id", "prompt.public_id", "video_0.public_id", "video_1.public_id", "assignment.round"),
}
#: Fields that are objects and belong to one list as a whole.
WHOLE = ("helpfulness", "harmlessness", "timings_ms", "viewing", "presentation")


def lines(study, tmp_path):
    with (tmp_path / "annotations.jsonl").open("w+b") as file:
        annotations.copy(study, file)
        file.seek(0)
        return [flat(json.loads(line)) for line in file]


def flat(line):
    """Return the fields of a line by the names that the lists use."""
    fields = {}
    for name, value in line.items():
        if isinstance(value, dict) and name not in WHOLE:
            fields |= {f"{name}.{member}": inner for member, inner in value.items()}
        else:
            fields[name] = value
    return fields


def schema_fields():
    schema = json.loads((Path(settings.BASE_DIR) / "exports/schemas/annotation.schema.json").read_text())
    fields = set()
    for name, said in schema["properties"].items():
        said = schema["$defs"][said["$ref"].rsplit("/", 1)[1]] if "$ref" in said else said
        members = said.get("properties") if name not in WHOLE else None
        fields |= {f"{name}.{member}" for member in members} if members else {name}
    return fields


def test_every_field_of_a_line_and_of_the_schema_is_in_exactly_one_list(study, annotator, tmp_path):
    factories.pair(study)
    factories.answer(annotator, study)
    [line] = lines(study, tmp_path)
    assert not set(records.FIXED) & set(records.FROZEN)
    listed = set(records.FIXED) | set(records.FROZEN)
    assert set(line) == listed
    assert schema_fields() == listed


def test_fixed_fields_are_read_from_columns_that_cannot_change():
    columns = set(re.findall(r"\b([a-z_0-9]+\.[a-z_0-9]+)\b", " ".join(records.FIXED.values())))
    assert {column for column in columns if not column.startswith("annotation.")} == GIVEN_ONCE


def test_the_table_that_fixed_fields_are_read_from_refuses_every_change():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'annotation_annotation'::regclass")
        assert any("annotation_rows_stay" in name for (name,) in cursor.fetchall())


def test_later_changes_show_only_in_fields_that_a_release_copies(study, annotator, tmp_path):
    factories.pair(study)
    factories.answer(annotator, study)
    [before] = lines(study, tmp_path)
    annotation = Annotation.objects.get()
    Prompt.objects.update(text="Other words", prompt_type="safety_critical", source="real_user", language="zh")
    Prompt.objects.update(source_id="another id")
    for one in Video.objects.all():
        Video.objects.filter(pk=one.pk).update(source_id=f"id {one.pk}", asset=factories.asset())
    Video.objects.update(generator="another", video_text="Other words", refined_by="a model")
    Video.objects.update(file_name="b.mp4", generator_version="2", seed="9", settings={"steps": 8})
    Pair.objects.update(batch=Batch.objects.create(study=study, number=2), priority=7, in_sample=True, wanted=3)
    Pair.objects.update(kind="control", expected={})
    Assignment.objects.update(leased_at=annotation.submitted_at, comment="Look again.", draft={}, lease_number=4)
    Assignment.objects.update(asked_because="replacement")
    Standing.objects.update(validity="invalid", reason="defect", counted=False, uncounted_reason="rejected")
    Study.objects.update(slug="renamed", protocol_version=9, guideline_version=9, pseudonym_key="another key")
    study.refresh_from_db()
    [after] = lines(study, tmp_path)
    changed = {name for name, value in after.items() if before[name] != value}
    assert changed == set(records.FROZEN) - {"standing.current"}  # which a later revision changes


@pytest.mark.parametrize("digits", ["000000", "780880", "500000", "000001"])
def test_a_moment_always_has_six_digits_of_a_second(digits):
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Shanghai'")
        cursor.execute(f"SELECT {records.moment('%s::timestamptz')}", [f"2026-11-30 16:37:04.{digits}+08"])
        [found] = cursor.fetchone()
    assert found == f"2026-11-30T08:37:04.{digits}+00:00"
