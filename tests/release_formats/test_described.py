"""What describes a release for machines: README.md of the Hugging Face Hub, and Croissant with its check."""

import copy
import hashlib
import io
import json
from contextlib import contextmanager

import pytest
import yaml
from django.db import transaction

from annotation.models import Seat
from release_formats import croissant, croissant_check, huggingface, rai
from release_formats.columns import KINDS
from releases import making
from releases.filters import Filter
from tests import factories
from tests.releases.releasing import Kept, accepted, answered, make, stored

pytestmark = pytest.mark.django_db

EVERYTHING = Filter(decisions=("accepted", "none"))


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker, tmp_path_factory):
    """A release that is described in both ways. No test changes it."""
    with django_db_blocker.unblock(), transaction.atomic():
        study = factories.study()
        people = [factories.member(study, "annotator") for _ in range(2)]
        accepted(*answered(study, *people, pairs=2, in_sample=True))
        release = make(study, formats=["huggingface", "croissant"], licence="CC-BY-4.0", terms="Cite us.")
        assert (release.state, release.reason) == ("done", "")
        assert making.rebuild(release, tmp_path_factory.mktemp("rebuilt")) == []
        made = Kept(release)
        transaction.set_rollback(True)
    return made


class TestHuggingFace:
    def head(self, kept):
        return yaml.safe_load(kept["README.md"].decode().split("---\n")[1])

    @pytest.mark.long
    def test_its_configurations_name_every_parquet_file(self, kept):
        head = self.head(kept)
        listed = [path for one in head["configs"] for split in one["data_files"] for path in split["path"]]
        assert sorted(listed) == kept.parquet != []
        assert [one["config_name"] for one in head["configs"]] == ["pairs", "tv_pairs", "annotations", "prompts"]
        assert [one.get("default") for one in head["configs"]] == [True, None, None, None]

    def test_a_format_brings_those_that_it_describes(self, kept):
        assert kept.release.formats == ["card", "parquet", "huggingface", "croissant"]

    def test_the_text_for_people_has_numbers_licence_and_terms(self, kept):
        text = kept["README.md"].decode()
        assert "has 4 of their answers" in text
        assert "## Terms\n\nCite us." in text

    @pytest.mark.parametrize(
        ("licence", "head"),
        [
            ("CC-BY-4.0", {"license": "cc-by-4.0"}),
            ("Ours: see terms", {"license": "other", "license_name": "Ours: see terms"}),
        ],
    )
    def test_the_licence_is_one_that_the_hub_knows_or_is_named(self, kept, licence, head):
        release = copy.copy(kept.release)
        release.licence = licence
        found = huggingface.front_matter(release, [])
        assert {name: value for name, value in found.items() if name.startswith("license")} == head

    def test_every_kind_of_column_has_a_type_everywhere(self):
        from release_formats.parquet_files import TYPES

        assert set(TYPES) == set(KINDS) == set(croissant.TYPES) == {*huggingface.TYPES, *huggingface.LISTS}


class TestCroissant:
    def document(self, kept):
        return json.loads(kept["croissant.json"])

    def test_each_record_set_is_a_file_with_the_hash_of_its_bytes(self, kept):
        made = self.document(kept)
        assert made["conformsTo"] == ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
        hashes = {one["contentUrl"]: one["sha256"] for one in made["distribution"]}
        assert hashes == {path: hashlib.sha256(kept[path]).hexdigest() for path in kept.parquet}
        assert len(made["recordSet"]) == len(hashes) == 4

    def test_it_states_what_is_known_of_the_collection(self, kept):
        made = self.document(kept)
        assert made["rai:annotationsPerItem"] == "2.00 answers a pair"
        assert made["rai:annotatorDemographics"] == ["Fewer than 5 people"]
        assert len(made["rai:dataCollectionTimeframe"]) == 2
        assert made["rai:dataAnnotationAnalysis"][0] == (
            "instruction_following: Krippendorff's alpha 1.000 over 4 answers on 2 pairs"
        )
        assert made["rai:dataAnnotationProtocol"][0] == "Guideline version 1: 4 answers"
        assert made["rai:dataAnnotationProtocol"][1].startswith("Text of guideline version 1:")
        assert made["rai:dataBiases"] == ["No annotator declined to see any of the harms."]
        assert made["rai:dataSocialImpact"].startswith("4 of 4 answers name at least one harm")

    @pytest.mark.long
    def test_opt_outs_are_stated_and_small_numbers_are_not_published(self, study):
        people = [factories.member(study, "annotator") for _ in range(11)]
        for some, excluded in ((people[:5], ["crime", "porn"]), (people[5:8], ["crime"]), (people[8:10], ["hate"])):
            Seat.objects.filter(person__in=some).update(excluded=excluded)
        answered(study, *people)
        release = make(study, filter=EVERYTHING, formats=["croissant"])
        assert release.about["collection"]["annotators"] == 11
        opted_out = release.about["collection"]["opted_out"]
        found = {harm: opted_out[harm] for harm in ("hate", "crime", "porn", "violence")}
        assert found == {"hate": None, "crime": None, "porn": 5, "violence": 0}
        biases = json.loads(stored(release, "croissant.json"))["rai:dataBiases"]
        assert [one.partition(" did not")[0] for one in biases] == [
            "5 annotators",
            "Some annotators",
            "Some annotators",
        ]

    def test_a_description_that_does_not_fit_stops_the_release(self, study, monkeypatch, caplog):
        accepted(*answered(study))
        right = rai.properties
        monkeypatch.setattr(rai, "properties", lambda release: right(release) | {"rai:dataAnnotatonProtocol": "x"})
        release = make(study, formats=["croissant"])
        assert release.state == "failed"
        assert release.reason == croissant.WRONG
        assert "RAI has no property dataAnnotatonProtocol." in caplog.text
        monkeypatch.undo()


class TestCheck:
    """The faults that descriptions have had elsewhere. mlcroissant finds some of them only when records are read."""

    DATA = b'{"pair_id": "0", "helpfulness": "video_0"}\n'
    GOOD = {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "dct": "http://purl.org/dc/terms/",
        },
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "release",
        "description": "A release",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "url": "https://example.org/release",
        "datePublished": "2026-01-02",
        "creator": {"@type": "sc:Organization", "name": "Lab"},
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "data",
                "contentUrl": "data.jsonl",
                "encodingFormat": "application/jsonlines",
                "sha256": hashlib.sha256(DATA).hexdigest(),
            }
        ],
        "recordSet": [
            {
                "@id": "pairs",
                "key": {"@id": "pairs/pair_id"},
                "field": [
                    {
                        "@id": "pairs/pair_id",
                        "source": {"fileObject": {"@id": "data"}, "extract": {"column": "pair_id"}},
                    }
                ],
            }
        ],
    }

    @contextmanager
    def open(self, path):
        if path != "data.jsonl":
            raise FileNotFoundError(path)
        yield io.BytesIO(self.DATA)

    def found(self, change):
        changed = copy.deepcopy(self.GOOD)
        change(changed)
        return croissant_check.faults(changed, self.open)

    def test_a_right_one_has_no_fault(self):
        assert self.found(lambda made: None) == []

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            (lambda made: made["distribution"][0].update(sha256="sha256"), "is sha256, which is no hash"),
            (lambda made: made["distribution"][0].pop("sha256"), "data.jsonl has no sha256"),
            (lambda made: made["distribution"][0].update(sha256="0" * 64), "and that of its bytes is"),
            (lambda made: made["distribution"][0].update(contentUrl="gone.jsonl"), "there is no such file"),
            (lambda made: made["distribution"].append(made["distribution"][0]), "Two files have the id data"),
            (lambda made: made["@context"].update({"sc": "http://schema.org/"}), "The prefix sc is http://schema.org/"),
            (lambda made: made["@context"].update({"@vocab": "http://schema.org/"}), "The prefix @vocab is"),
            (lambda made: made["@context"].update({"cr": "https://mlcommons.org/croissant/1.0/"}), "The prefix cr is"),
            (lambda made: made.update(conformsTo="croissant"), "no version of Croissant"),
            (lambda made: made.update({"rai:dataBiases": "x"}), "conformsTo does not name"),
            (lambda made: made.update({"rai:dataBias": "x"}), "RAI has no property dataBias."),
            (lambda made: made.pop("license"), "It has no license."),
            (lambda made: made["recordSet"][0]["key"].update({"@id": "pairs/id"}), "is none of its fields"),
            (
                lambda made: made["recordSet"][0]["field"][0]["source"]["fileObject"].update({"@id": "other"}),
                "from the file other, which is not described",
            ),
        ],
    )
    def test_each_fault_is_found(self, change, fault):
        assert any(fault in one for one in self.found(change)), self.found(change)

    def test_the_first_record_is_read(self, kept):
        made = json.loads(kept["croissant.json"])

        @contextmanager
        def opened(path):
            yield io.BytesIO(kept[path])

        assert croissant_check.faults(made, opened) == []
        made["recordSet"][0]["field"][0]["source"]["extract"]["column"] = "no_such"
        assert [one for one in croissant_check.faults(made, opened) if "has no column no_such" in one]
