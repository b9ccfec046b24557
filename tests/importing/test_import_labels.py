"""Labels in a manifest: what a program said about prompts, videos and pairs."""

import pytest
from django.db import IntegrityError, transaction
from jsonschema import Draft202012Validator

from annotation.protocol import SUB_DIMENSION_KEYS
from catalog.models import Label, Pair, Video
from catalog.models.labels import CHOICE_QUESTIONS
from sources.schema import SCHEMA, faults
from studies.models import Study
from tests import factories
from tests.importing.manifests import imported, pair, prompts_with_videos, write

pytestmark = pytest.mark.django_db

MATERIAL = [*prompts_with_videos(1, 2), pair("p0-a", "p0-b")]


def label(**values):
    """Return a line of a label. Its labeller is the same unless it is named."""
    given = {"type": "label", "labeller": "judge", "labeller_version": "1"} | values
    return {name: value for name, value in given.items() if value is not None}


def values_of(**filters):
    return list(Label.objects.filter(**filters).order_by("pk").values_list("value", flat=True))


def test_the_questions_of_labels_are_those_of_people():
    assert (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness") == CHOICE_QUESTIONS


def test_labels_of_all_kinds_come_in_with_their_subjects(tmp_path):
    lines = [
        *MATERIAL,
        label(prompt="p0", question="crime", value=True),
        label(video="p0-a", question="crime", value=0.25),
        label(video="p0-a", question="psnr", value=31.5, setting="to the first frame"),
        label(video_0="p0-a", video_1="p0-b", question="helpfulness", value="tie"),
        label(video_0="p0-a", video_1="p0-b", question="harmlessness", refused=True),
    ]
    report = imported(write(tmp_path, lines))
    assert (report.bad, report.labels.added) == ([], 5)
    assert values_of(prompt__source_id="p0") == [True]
    assert values_of(video__source_id="p0-a") == [0.25, 31.5]
    of_pair = Label.objects.filter(pair=Pair.objects.get()).order_by("pk")
    assert list(of_pair.values_list("question", "value", "refused")) == [
        ("helpfulness", "tie", False),
        ("harmlessness", None, True),
    ]


def test_a_choice_is_about_the_video_that_the_line_names(tmp_path):
    """The study decides which video is number 0, so the choice is turned where the line has the other order."""
    imported(write(tmp_path / "material", MATERIAL))
    row = Pair.objects.get()
    one, other = row.video_1.source_id, row.video_0.source_id
    lines = [
        label(video_0=one, video_1=other, question="helpfulness", value="video_0"),
        label(video_0=other, video_1=one, question="aesthetics", value="video_0"),
    ]
    report = imported(write(tmp_path / "labels", lines))
    assert report.labels.added == 2
    assert values_of(question="helpfulness") == ["video_1"]
    assert values_of(question="aesthetics") == ["video_0"]


def test_labels_may_follow_long_after_their_material_and_twice(tmp_path):
    imported(write(tmp_path / "material", MATERIAL))
    published = Video.objects.get(source_id="p0-b").public_id
    lines = [label(video=published, question="crime", value=False), label(prompt="p0", question="hate", value=False)]
    first = imported(write(tmp_path / "labels", lines))
    lines[0]["value"] = True
    again = imported(write(tmp_path / "again", lines))
    assert (first.labels.added, first.labels.already_there) == (2, 0)
    assert (again.labels.added, again.labels.already_there) == (0, 2)
    [difference] = again.differences
    assert (difference.kind, difference.line, difference.fields) == ("label", 1, ["value"])
    assert values_of(video__public_id=published) == [False]


def test_another_setting_is_another_label(tmp_path):
    lines = [label(prompt="p0", question="crime", value=n > 1, setting=f"{n} frames") for n in (1, 2)]
    assert imported(write(tmp_path, [*MATERIAL, *lines])).labels.added == 2


def test_a_label_of_videos_that_are_not_compared_is_left_out_with_a_warning(tmp_path):
    lines = prompts_with_videos(1, 3)
    lines += [pair("p0-a", "p0-b"), label(video_0="p0-a", video_1="p0-c", question="helpfulness", value="video_0")]
    report = imported(write(tmp_path, lines))
    assert (report.labels.added, report.labels.already_there) == (0, 0)
    assert "1 labels were not imported" in report.warnings[0]
    assert "line 6" in report.warnings[0]


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        (label(question="crime", value=True), "", "names nothing that the label is about"),
        (label(prompt="p0", video="p0-a", question="crime", value=True), "video", "one prompt, one video or one pair"),
        (label(video_0="p0-a", video_1="p0-a", question="helpfulness", value="tie"), "video_1", "the same video"),
        (label(video_0="p0-a", question="helpfulness", value="tie"), "video_1", "is missing; video_0 needs it"),
        (label(video="p0-a", question="helpfulness", value="tie"), "video_0", "is missing"),
        (label(video_0="p0-a", video_1="p0-b", question="helpfulness", value="left"), "value", "video_0, video_1 or"),
        (label(prompt="p0", question="crime", value="yes"), "value", "must be of type boolean or number"),
        (label(prompt="p0", question="crime"), "value", "write refused: true"),
        (label(prompt="p0", question="crime", value=True, refused=True), "value", "the labeller refused"),
        (label(prompt="p0", question="mood", value=["sad"]), "value", "must be of type string, number or boolean"),
        (label(prompt="p0", question="crime", value=True, labeller=None), "labeller", "is missing"),
        (label(prompt="p9", question="crime", value=True), "prompt", "Neither the manifest nor the study has a prompt"),
        (label(video_0="p0-a", video_1="x", question="helpfulness", value="tie"), "video_1", "has a video with the id"),
    ],
)
def test_a_bad_label_is_named_with_its_reason(line, field, said, tmp_path):
    report = imported(write(tmp_path, [*MATERIAL, line]))
    assert [(bad.line, bad.field) for bad in report.bad][:1] == [(5, field)]
    assert said in report.bad[0].reason
    assert not Study.objects.filter(slug="colours").exists()


def test_a_label_that_is_given_twice_or_whose_subject_was_refused_is_a_bad_row(tmp_path):
    twice = label(video_0="p0-a", video_1="p0-b", question="helpfulness", value="video_0")
    turned = label(video_0="p0-b", video_1="p0-a", question="helpfulness", value="video_0")
    faulty = {"type": "prompt", "id": "p1", "text": ""}
    lines = [*MATERIAL, twice, turned, faulty, label(prompt="p1", question="crime", value=True)]
    report = imported(write(tmp_path, lines), skip_bad=True)
    reasons = {bad.line: bad.reason for bad in report.bad}
    assert "also in line 5" in reasons[6]
    assert "The prompt p1 was refused (line 7)" in reasons[8]
    assert report.labels.added == 1


def test_the_published_schema_alone_says_the_same(tmp_path):
    """An independent validator of JSON Schema refuses what the import refuses, and accepts what it accepts."""
    of_schema = Draft202012Validator(SCHEMA)
    good = [
        label(prompt="p0", question="crime", value=True),
        label(video_0="a", video_1="b", question="harmlessness", value="tie"),
        label(video="a", question="clip", value=0.5, setting="8 frames"),
        label(video="a", question="clip", refused=True),
    ]
    bad = [
        label(question="crime", value=True),
        label(video="a", question="helpfulness", value="tie"),
        label(prompt="p", question="crime", value="yes"),
        label(prompt="p", question="crime", refused=False),
        label(prompt="p", video="v", question="crime", value=True),
    ]
    assert [faults(line) for line in good] == [[]] * len(good)
    assert all(of_schema.is_valid(line) for line in good)
    assert all(faults(line) for line in bad)
    assert not any(of_schema.is_valid(line) for line in bad)


@pytest.mark.parametrize(
    ("subject", "values", "rule"),
    [
        ("pair", {"question": "helpfulness", "value": "left"}, "label_choice_is_of_a_pair"),
        ("prompt", {"question": "helpfulness", "value": "tie"}, "label_choice_is_of_a_pair"),
        ("prompt", {"question": "crime", "value": None}, "label_has_value_or_is_refused"),
        ("prompt", {"question": "crime", "value": True, "refused": True}, "label_has_value_or_is_refused"),
    ],
)
def test_the_database_holds_the_rules_whoever_writes(study, subject, values, rule):
    made = factories.pair(study)
    about = {"pair": made, "prompt": made.prompt}[subject]
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Label.objects.create(study=study, **{subject: about}, labeller="judge", **values)
