"""The list of labels by programs: what it shows, its filters, counts and files, and the same through the API."""

import csv
import io
import re

import pytest
from django.utils import timezone

from catalog.library import labels as listed
from catalog.models import Label, Pair
from catalog.models.pairs import QUARANTINED
from media.models import Asset
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(study, researcher, browser_client):
    """Return a function that requests the list of labels as a researcher."""
    client = browser_client(researcher)

    def ask(query=None, path="labels/", status=200):
        response = client.get(f"/studies/{study.slug}/library/{path}", query or {})
        assert response.status_code == status, response.content[:500]
        return response

    return ask


@pytest.fixture
def programs(study):
    """Return one label of each subject by its question."""
    pair = factories.pair(study)
    facts = {"labeller": "judge-y", "labeller_version": "2", "setting": "8 frames", "import_number": 7}
    made = [
        factories.label(study, question="crime", value=True),
        factories.label(study, video=pair.video_1, question="psnr", value=-31.5),
        factories.label(study, pair=pair, question="helpfulness", value="video_1", **facts),
        factories.label(study, pair=pair, question="harmlessness", value=None, refused=True),
    ]
    return {one.question: one for one in made}


def questions(response):
    return [row["label"].question for row in response.context["rows"]]


def about(label):
    return label.about.public_id


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["harmlessness", "helpfulness", "psnr", "crime"]),
        ({"sort": "oldest"}, ["crime", "psnr", "helpfulness", "harmlessness"]),
        ({"subject": "prompt"}, ["crime"]),
        ({"subject": "video"}, ["psnr"]),
        ({"subject": "pair"}, ["harmlessness", "helpfulness"]),
        ({"question": "crime"}, ["crime"]),
        ({"labeller": "judge-y"}, ["helpfulness"]),
        ({"labeller_version": "2"}, ["helpfulness"]),
        ({"setting": "8 frames"}, ["helpfulness"]),
        ({"refused": "yes"}, ["harmlessness"]),
        ({"refused": "no", "subject": "pair"}, ["helpfulness"]),
        ({"import_number": "7"}, ["helpfulness"]),
        ({"labeller": "nobody"}, []),
    ],
)
def test_each_filter_finds_its_own(library, programs, query, found):
    assert questions(library(query)) == found


def test_labels_are_found_by_the_id_of_what_they_are_about(library, programs):
    for name in ("crime", "psnr"):
        assert questions(library({"q": about(programs[name])[:20]})) == [name]
    of_pair = {"q": about(programs["helpfulness"])}
    assert questions(library(of_pair)) == ["harmlessness", "helpfulness"]
    assert questions(library(of_pair | {"subject": "video"})) == []


def test_each_row_leads_to_what_it_is_about_and_that_leads_back(study, library, programs):
    text = library().content.decode()
    for question, kind, number in (("crime", "prompt", 1), ("psnr", "video", 1), ("helpfulness", "pair", 2)):
        address = f"/library/{kind}s/{about(programs[question])}/"
        assert f'href="/studies/{study.slug}{address}"' in text
        page = library(path=address.removeprefix("/library/")).content.decode()
        back = re.search(rf'href="/studies/{study.slug}/library/labels/\?([^"]+)">(\d+)</a>', page)
        assert back is not None
        assert int(back[2]) == number
        query = dict(one.split("=") for one in back[1].replace("&amp;", "&").split("&"))
        assert {row["label"].about.public_id for row in library(query).context["rows"]} == {about(programs[question])}


def test_values_are_shown_as_they_are(study, library, programs):
    factories.label(study, question="clip score", value=0.1 + 0.2)
    text = re.sub(r"\s+", " ", library().content.decode())
    for cell in (">yes</td>", ">-31.5</td>", ">0.3</td>", ">video_1</td>", '<span class="muted">refused</span>'):
        assert cell in text


def test_counts_by_labeller_lead_to_their_labels(study, library, programs, monkeypatch):
    factories.label(study, question="crime", value=False)
    factories.label(study, question="crime", value=None, refused=True)
    response = library()
    rows = {(row["labeller"], row["question"]): row for row in response.context["label_counts"]}
    assert (rows["judge-x", "crime"]["number"], rows["judge-x", "crime"]["refusals"]) == (3, 1)
    assert sum(row["number"] for row in rows.values()) == Label.objects.count()
    [address] = re.findall(r'href="(\?[^"]*question=helpfulness[^"]*)"', response.content.decode())
    assert questions(library(path=f"labels/{address.replace('&amp;', '&')}")) == ["helpfulness"]
    monkeypatch.setattr(listed, "MOST_GROUPS", 3)
    assert library().context["label_counts"] is None


def test_pages_have_each_label_once(study, library, monkeypatch):
    monkeypatch.setattr("diptych.paging.PAGE", 2)
    prompt = factories.prompt(study)
    made = [factories.label(study, prompt=prompt, question=f"q{n}").question for n in range(5)]
    found, query = [], {"sort": "oldest"}
    while query:
        response = library(query)
        found += questions(response)
        place = response.context["page"].next
        query = {"sort": "oldest", "after": place} if place else None
    assert found == made
    library({"after": "nowhere"}, status=404)


def test_labels_of_quarantined_material_are_not_listed(study, library, programs):
    Asset.objects.filter(pk=programs["psnr"].video.asset_id).update(quarantined_at=timezone.now())
    Pair.objects.filter(pk=programs["helpfulness"].pair_id).update(held=QUARANTINED)
    assert questions(library()) == ["crime"]
    assert "psnr" not in library(path="labels.csv").getvalue().decode()


def test_labels_of_other_studies_are_not_listed(library):
    factories.label(factories.study())
    text = library().content.decode()
    assert "No program has labelled this material yet" in text
    assert '"type": "label"' in text.replace("&quot;", '"')


def test_the_file_has_what_the_filters_leave(study, library, programs):
    content = library({"subject": "pair"}, path="labels.csv").getvalue().decode("utf-8-sig")
    helpful, harmless = csv.DictReader(io.StringIO(content))
    assert (helpful["pair_id"], helpful["value"], helpful["refused"]) == (
        about(programs["helpfulness"]),
        "video_1",
        "no",
    )
    assert (harmless["value"], harmless["refused"], harmless["prompt_id"]) == ("", "yes", "")
    factories.label(study, question="remark", value="=1+1")
    content = library(path="labels.csv").getvalue().decode("utf-8-sig")
    values = {row["question"]: row["value"] for row in csv.DictReader(io.StringIO(content))}
    assert (values["remark"], values["psnr"], values["crime"]) == ("'=1+1", "-31.5", "true")


def test_a_program_reads_them_page_by_page(study, researcher, api, programs, monkeypatch):
    monkeypatch.setattr("catalog.api_labels.MOST_LISTED", 3)
    client, address = api(researcher), f"/api/v1/studies/{study.slug}/labels/"
    body = client.get(address).json()
    rest = client.get(address, {"after": body["next"]}).json()
    assert [one["question"] for one in body["labels"] + rest["labels"]] == list(programs)
    assert rest["next"] is None
    helpful = body["labels"][2]
    pair = programs["helpfulness"].pair
    assert (helpful["pair_id"], helpful["video_id"], helpful["prompt_id"]) == (
        pair.public_id,
        None,
        pair.prompt.public_id,
    )
    assert [one["refused"] for one in client.get(address, {"refused": "yes"}).json()["labels"]] == [True]
    refused = client.get(address, {"q": "xyz!"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["q"])
    assert client.get(address, {"subject": "study"}).status_code == 400
