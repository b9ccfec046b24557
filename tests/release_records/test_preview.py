"""The pages with the records of a release and their videos."""

import csv
import io
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Annotation
from catalog.models import Label
from diptych import paging
from media.models import Asset
from releases.filters import Filter
from releases.withdrawing import subject, withdraw
from tests import factories
from tests.releases.releasing import answered, lines, make

pytestmark = pytest.mark.django_db

TAGGED = {"harmlessness": {"video_0": {"tags": ["crime"]}, "video_1": {"tags": []}, "overall": "video_1"}}


@pytest.fixture
def viewer(client, researcher):
    client.force_login(researcher)
    return client


@pytest.fixture
def release(study):
    train = factories.prompt(study, text="A red ball on a hill", split="train")
    critical = factories.prompt(study, text="A fight in a bar", split="test", prompt_type="safety_critical")
    answered(study, prompt=train)
    answered(study, prompt=critical, said=TAGGED)
    return make(study, filter=Filter(decisions=("none",)))


def listed(viewer, release, **filters):
    return viewer.get(reverse("release_records:records", args=[release.study.slug, release.number]), filters)


def prompts_of(response):
    return [row["item"].prompt_text for row in response.context["rows"]]


@pytest.mark.long
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, {"A red ball on a hill", "A fight in a bar"}),
        ({"q": "hill ball"}, {"A red ball on a hill"}),
        ({"part": "test"}, {"A fight in a bar"}),
        ({"prompt_type": "safety_neutral"}, {"A red ball on a hill"}),
        ({"tag": "crime"}, {"A fight in a bar"}),
        ({"asked_because": "plan", "in_sample": "no"}, {"A red ball on a hill", "A fight in a bar"}),
        ({"lot": "1"}, set()),
        ({"annotator": "nobody"}, set()),
    ],
)
def test_the_list_has_search_and_filters(viewer, release, filters, found):
    response = listed(viewer, release, **filters)
    assert response.status_code == 200
    assert set(prompts_of(response) if found else []) == found
    if not found:
        assert "No answer of this release matches" in response.content.decode()


@pytest.mark.long
def test_an_id_finds_its_pair(viewer, release):
    pair = lines(release, "pairs.jsonl")[0]
    response = listed(viewer, release, q=pair["pair_id"][:12])
    assert [row["pair"].public_id for row in response.context["rows"]] == [pair["pair_id"]]


@pytest.mark.long
def test_pages_follow_the_order_of_the_files(viewer, release, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    first = listed(viewer, release)
    second = listed(viewer, release, after=first.context["page"].next)
    order = [line["prompt_text"] for line in lines(release, "annotations.jsonl")]
    assert prompts_of(first) + prompts_of(second) == order
    assert prompts_of(listed(viewer, release, before=second.context["page"].previous)) == order[:1]


@pytest.mark.long
def test_the_csv_has_the_filtered_list(viewer, release):
    address = reverse("release_records:records_csv", args=[release.study.slug, release.number])
    sent = viewer.get(address, {"part": "test"}).getvalue().decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(sent))
    [record] = [one for one in lines(release, "annotations.jsonl") if one["part"] == "test"]
    assert (int(row["annotation_id"]), row["pair_id"]) == (record["annotation_id"], record["pair_id"])
    assert (row["harmlessness"], row["tags_video_0"]) == ("video_1", "crime")
    assert viewer.get(address, {"lot": "x"}).status_code == 400


@pytest.mark.long
def test_a_wrong_filter_is_named(viewer, release):
    assert listed(viewer, release, lot="x").status_code == 400


@pytest.mark.long
def test_posters_of_harmful_pairs_stand_behind_the_filter_of_the_person(viewer, release, study):
    study.media_filter = "blur"
    study.save()
    Asset.objects.update(state="done")
    veils = {row["item"].prompt_text: row["veil"] for row in listed(viewer, release).context["rows"]}
    assert veils == {"A red ball on a hill": "none", "A fight in a bar": "blur"}


def page_of(release, pair_id):
    return reverse("release_records:record", args=[release.study.slug, release.number, pair_id])


def test_a_pair_has_its_records_word_for_word(viewer, release, study):
    [record] = [one for one in lines(release, "pairs.jsonl") if one["part"] == "test"]
    response = viewer.get(page_of(release, record["pair_id"]))
    assert json.loads(response.context["pair_json"]) == record
    of_pair = [one for one in lines(release, "annotations.jsonl") if one["pair_id"] == record["pair_id"]]
    assert [json.loads(written) for _one, written in response.context["annotations"]] == of_pair


@pytest.mark.long
def test_the_page_shows_what_programs_said_of_the_pair_and_its_videos(viewer, study):
    [one] = answered(study)
    for about, value in (("pair", "tie"), ("video", 0.5)):
        subject_of = {"pair": one.pair, "video": one.pair.video_1}[about]
        question = {"pair": "helpfulness", "video": "crime"}[about]
        Label.objects.create(study=study, **{about: subject_of}, question=question, labeller="judge", value=value)
    release = make(study, filter=Filter(decisions=("none",)))
    response = viewer.get(page_of(release, one.pair.public_id))
    assert [(label.question, label.value) for label in response.context["labels"]] == [
        ("helpfulness", "tie"),
        ("crime", 0.5),
    ]


@pytest.mark.long
def test_a_video_that_is_in_quarantine_now_is_not_shown(viewer, release, study):
    pair_id = lines(release, "pairs.jsonl")[0]["pair_id"]
    Asset.objects.filter(videos__pairs_as_0__public_id=pair_id).update(quarantined_at=timezone.now())
    response = viewer.get(page_of(release, pair_id))
    assert (response.status_code, response.context["on_page"]) == (200, "")
    assert "cannot be played" in response.content.decode()


@pytest.mark.long
def test_an_unknown_pair_is_not_there(viewer, release):
    assert viewer.get(page_of(release, "0" * 64)).status_code == 404


@pytest.mark.long
def test_nothing_of_a_withdrawn_release_is_shown(viewer, release, study):
    pair_id = lines(release, "pairs.jsonl")[0]["pair_id"]
    withdraw(study, subject(study, "answer", str(Annotation.objects.earliest("pk").pk)), reason="Asked", actor=None)
    assert listed(viewer, release).status_code == 410
    assert viewer.get(page_of(release, pair_id)).status_code == 410
