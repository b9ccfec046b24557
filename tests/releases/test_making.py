"""Make a release: its items, its files, its manifest, and what ends it early."""

import json
from hashlib import sha256

import pytest
from django.db import connection

from diptych.refusals import Refused
from exports import records
from releases import freezing, funnel, making
from releases.filters import Filter
from releases.funnel import NothingLeft
from releases.models import Release, ReleaseFile, ReleaseItem
from tests import factories
from tests.releases.releasing import accepted, answered, ask, lines, make, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(study):
    accepted(*answered(study, pairs=3))
    return make(study)


class TestFiles:
    def test_a_complete_release_has_its_files_with_their_digests(self, release):
        assert (release.state, release.reason) == ("done", "")
        card = ["CITATION.cff", "annotations.jsonl", "card.html", "card.json", "card.md"]
        guideline = ["guideline/v1-en.md", "guideline/v1-zh-hans.md"]
        paths = [*card, *guideline, "manifest.json", "pairs.jsonl", "prompts.jsonl", "tv_pairs.jsonl"]
        assert list(release.files.order_by("path").values_list("path", flat=True)) == paths
        for file in release.files.all():
            content = stored(release, file.path)
            assert (file.sha256, file.byte_size) == (sha256(content).hexdigest(), len(content))

    @pytest.mark.long
    def test_the_manifest_names_every_other_file(self, release):
        manifest = json.loads(stored(release, "manifest.json"))
        assert manifest == release.manifest
        assert {file["path"]: file["sha256"] for file in manifest["files"]} == dict(
            release.files.exclude(path="manifest.json").values_list("path", "sha256")
        )
        assert manifest["counts"]["answers"] == 3 == len(lines(release, "annotations.jsonl"))

    def test_a_rebuild_has_the_same_bytes(self, release, tmp_path, study):
        study.title = "Renamed since"
        study.save()
        factories.answer(factories.member(study, "annotator"), study) if factories.pair(study) else None
        assert making.rebuild(release, tmp_path) == []
        for file in release.files.all():
            assert (tmp_path / file.path).read_bytes() == stored(release, file.path)


def test_items_have_a_column_for_every_fact_that_may_change():
    with connection.cursor() as cursor:
        columns = {column.name for column in connection.introspection.get_table_description(cursor, ITEMS)}
    of_item = {"id", "study_id", "release_id", "annotation_id", "place"}
    assert columns - of_item == {records.column(field) for field in records.FROZEN} | set(freezing.MORE)


ITEMS = ReleaseItem._meta.db_table


def test_an_empty_release_is_refused_with_the_step_that_left_nothing(study):
    with pytest.raises(NothingLeft, match="Nobody has submitted"):
        ask(study)
    answered(study)
    with pytest.raises(NothingLeft, match="By default only accepted lots"):
        ask(study)
    assert ask(study, filter=Filter(decisions=("none",))).number == 1
    assert Release.objects.count() == 1
    assert not ReleaseFile.objects.exists()


def test_while_a_release_is_made_nothing_of_the_study_is_counted(study, monkeypatch):
    accepted(*answered(study, pairs=1))
    ask(study)
    monkeypatch.setattr(funnel, "preview", lambda *_: pytest.fail("the whole study was counted"))
    with pytest.raises(Refused, match="A release of this study is being made"):
        ask(study)


def test_a_study_that_takes_too_long_to_look_through_is_left_to_the_job(study, monkeypatch):
    accepted(*answered(study, pairs=1))

    def slow(*_arguments):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(making, "PAGE_LIMIT_S", 0.1)
    monkeypatch.setattr(funnel, "preview", slow)
    assert ask(study).state == "waiting"
