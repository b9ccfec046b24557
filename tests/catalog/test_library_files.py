"""The library's lists as files: filtered as the page is, every row once, nothing that a spreadsheet would run."""

import csv
import io

import pytest

from accounts.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(study, researcher, browser_client):
    """Asks for a page of the study's library, as a researcher."""
    client = browser_client(researcher)

    def ask(path="", query=None, status=200):
        response = client.get(f"/studies/{study.slug}/library/{path}", query or {})
        assert response.status_code == status, response.content[:500]
        return response

    return ask


def table(response):
    content = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_list_is_downloaded_as_it_is_filtered(study, library, researcher):
    wanted = factories.prompt(study, language="zh", text='一,"二"\n三', labels=["crime", "hate"], labelled_by="m")
    factories.prompt(study)
    response = library("prompts.csv", {"language": "zh", "sort": "newest", "after": ""})
    assert response["Content-Disposition"] == f'attachment; filename="{study.slug}-prompts.csv"'
    [line] = table(response)
    assert (line["prompt_id"], line["text"], line["labels"]) == (wanted.public_id, '一,"二"\n三', "crime hate")
    event = AuditEvent.objects.get(action="library.downloaded")
    assert (event.actor, event.after) == (researcher, {"list": "prompts", "filters": {"language": "zh"}})


def test_a_file_has_every_row_once_in_the_order_of_coming_in(study, library):
    pairs = factories.pairs(study, 7)
    lines = table(library("pairs.csv"))
    assert [line["pair_id"] for line in lines] == [pair.public_id for pair in pairs]
    assert {line["ready"] for line in lines} == {"yes"}
    assert len(table(library("videos.csv"))) == 14


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_a_formula(study, library, text):
    factories.prompt(study, text=text)
    assert table(library("prompts.csv"))[0]["text"] == f"'{text}"


def test_a_file_with_a_wrong_filter_is_refused_in_words(library):
    assert "Batch" in library("pairs.csv", {"batch": "x"}, status=400).content.decode()


def test_a_look_without_taking_leaves_no_record(study, researcher, browser_client):
    browser_client(researcher).head(f"/studies/{study.slug}/library/prompts.csv")
    assert not AuditEvent.objects.filter(action="library.downloaded").exists()
