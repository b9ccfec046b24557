"""The JSONL files that researchers download."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from jsonschema import Draft202012Validator, FormatChecker

from accounts.models import AuditEvent
from annotation.models import Annotation
from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS
from safety import quarantine
from studies.pseudonyms import pseudonym
from tests import factories

pytestmark = pytest.mark.django_db

SCHEMA = json.loads((Path(settings.BASE_DIR) / "exports/schemas/annotation.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


@pytest.fixture
def answer(api, study):
    """Return a function that answers one pair over the API and returns the sent body."""

    def by(person, **values):
        client = api(person)
        leased = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()
        body = factories.body(**values)
        path = f"/api/v1/assignments/{leased['current']['id']}/submit/"
        assert client.post(path, body, format="json").status_code == 201
        return body

    return by


@pytest.fixture
def download(api, study, researcher):
    def get():
        response = api(researcher).get(f"/api/v1/studies/{study.slug}/annotations.jsonl")
        assert response.status_code == 200
        return [json.loads(line) for line in response.getvalue().splitlines()]

    return get


def test_the_line_is_what_was_answered(study, annotator, answer, download):
    pair = factories.pair(study)
    body = answer(annotator)
    [line] = download()
    assert line["submission_id"] == body["submission_id"]
    assert line["helpfulness"] == body["helpfulness"]
    assert line["harmlessness"] == body["harmlessness"]
    assert line["timings_ms"] == body["timings_ms"]
    assert (line["pair_id"], line["prompt_text"]) == (pair.public_id, pair.prompt.text)
    assert line["standing"] == {
        "current": True,
        "validity": "valid",
        "reason": "",
        "counted": True,
        "uncounted_reason": "",
    }
    assert (line["revision"], line["revised_because"]) == (1, "")


def test_every_line_validates_against_the_published_schema(study, annotator, answer, download):
    study.allow_ties = True
    study.save()
    factories.pairs(study, 3)
    answer(annotator)
    tie = factories.body()["helpfulness"] | {"overall": "tie"}
    answer(annotator, helpfulness=tie)
    contradiction = {"video_0": {"tags": ["hate", "crime"]}, "video_1": {"tags": []}, "overall": "video_0"}
    answer(annotator, harmlessness=contradiction)
    lines = download()
    assert [error.message for line in lines for error in VALIDATOR.iter_errors(line)] == []
    assert [line["ties"] for line in lines] == [[], ["helpfulness"], []]
    assert [line["standing"]["validity"] for line in lines] == ["valid", "valid", "invalid"]


def test_the_schema_knows_the_twelve_tags():
    assert SCHEMA["$defs"]["harm"]["enum"] == list(HARM_KEYS)


def test_annotators_are_pseudonymous_and_the_same_throughout(study, annotator, answer, download):
    factories.pairs(study, 6)
    other = factories.member(study, "annotator")
    answer(annotator)
    answer(annotator)
    answer(other)
    names = [line["annotator_id"] for line in download()]
    assert names[0] == names[1] != names[2]
    assert annotator.username not in names


def test_no_answers_is_an_empty_file(study, download):
    assert download() == []


def test_only_this_studys_answers(study, annotator, answer, download):
    elsewhere = factories.study()
    factories.pair(elsewhere)
    factories.pair(study)
    answer(annotator)
    assert [line["study"] for line in download()] == [study.slug]


def test_a_download_leaves_an_audit_row(study, researcher, download):
    download()
    event = AuditEvent.objects.get(action="annotations.downloaded")
    assert (event.actor, event.study_slug) == (researcher, study.slug)


def test_asking_only_for_the_headers_is_no_download(api, study, researcher):
    assert api(researcher).head(f"/api/v1/studies/{study.slug}/annotations.jsonl").status_code == 200
    assert not AuditEvent.objects.filter(action="annotations.downloaded").exists()


def test_a_line_says_what_the_rows_say(study, annotator, download):
    text = 'A "red" ball\\n \\ rolls\n\t past 标记 😀 \u2028 </script>'
    about = factories.prompt(study, text=text, prompt_type="safety_critical", source_id="prompt 17")
    origin = {"generator": "maker", "generator_version": "2.1", "seed": "007", "settings": {"steps": 50}}
    named = {"source_id": "clip-a", "file_name": "p1/a.mp4"}
    refined = factories.video(about, video_text="Refined: “x”\n", **origin, **named)
    factories.pair(study, prompt=about, video_0=refined)
    said = {"unsure": True, "comment": "Two “balls”\nroll \\ past."}
    viewing = {"video_0": {"played_ms": 1.5, "a\\b": ["\n", None, True]}}
    given = factories.answer(annotator, study, viewing=viewing, **said)
    row = Annotation.objects.get(assignment=given)
    pair, standing = given.pair, row.assignment.standing
    assert download() == [
        {
            "study": study.slug,
            "annotation_id": row.pk,
            "submission_id": str(row.submission_id),
            "pair_id": pair.public_id,
            "prompt_id": about.public_id,
            "prompt_source_id": "prompt 17",
            "prompt_text": text,
            "prompt_type": "safety_critical",
            "video_0": {
                "video_id": refined.public_id,
                "source_id": "clip-a",
                "file_name": "p1/a.mp4",
                "sha256": refined.asset.sha256,
                "video_text": "Refined: “x”\n",
                "generated_from": "maker",
                "generator_version": "2.1",
                "seed": "007",
                "settings": {"steps": 50},
            },
            "video_1": {
                "video_id": pair.video_1.public_id,
                "source_id": "",
                "file_name": "",
                "sha256": pair.video_1.asset.sha256,
                "video_text": text,
                "generated_from": "",
                "generator_version": "",
                "seed": "",
                "settings": {},
            },
            "kind": "real",
            "batch": 1,
            "annotator_id": pseudonym(study, annotator.pk),
            "author": "annotator",
            "round": 0,
            "asked_because": "plan",
            "revision": 1,
            "revised_because": "",
            "helpfulness": {key: getattr(row, key) for key in SUB_DIMENSION_KEYS} | {"overall": row.helpfulness},
            "harmlessness": {
                "video_0": {"tags": row.tags_video_0},
                "video_1": {"tags": row.tags_video_1},
                "overall": row.harmlessness,
            },
            "ties": [],
            "unsure": True,
            "comment": "Two “balls”\nroll \\ past.",
            "timings_ms": row.timings_ms,
            "viewing": row.viewing,
            "presentation": row.presentation,
            "standing": {
                "current": True,
                "validity": standing.validity,
                "reason": standing.reason,
                "counted": standing.counted,
                "uncounted_reason": standing.uncounted_reason,
            },
            "protocol_version": row.protocol_version,
            "guideline_version": row.guideline_version,
            "leased_at": given.leased_at.isoformat(timespec="microseconds"),
            "submitted_at": row.submitted_at.isoformat(timespec="microseconds"),
        }
    ]


def test_a_pair_in_quarantine_is_in_no_file(study, annotator, download):
    factories.pairs(study, 3)
    given = factories.answer(annotator, study)
    factories.answer(annotator, study)
    quarantine.report(given.pair, ["video_0"], by=annotator)
    assert [line["pair_id"] for line in download()] != [given.pair.public_id]
    assert len(download()) == 1
