"""Compare two releases: on the page, by the API, and as CSV."""

import csv
import io

import pytest
from django.urls import reverse

from annotation.models import Standing
from catalog.models import Prompt
from release_records import comparing
from releases.filters import Filter
from releases.withdrawing import subject, withdraw
from tests import factories
from tests.figures.figuring import given
from tests.releases.releasing import make

pytestmark = pytest.mark.django_db

EVERYTHING = Filter(decisions=("accepted", "none"))


@pytest.fixture
def two(study):
    """Return two releases. Between them answers are added, one leaves, a cluster changes, and a majority turns.

    The pair whose majority turns has one answer for video 0 before, and one for video 0 and two for video 1 after.
    """
    people = [factories.member(study, "annotator") for _ in range(3)]
    train, test, other = (factories.prompt(study, split=split) for split in ("train", "test", "train"))
    study.contested = factories.pair(study, prompt=train, wanted=3)
    counted = {"counted": True}
    given(study.contested, people[0], standing=counted)
    leaves = given(factories.pair(study, prompt=test), people[0], standing=counted)
    given(factories.pair(study, prompt=other), people[0], standing=counted)
    first = make(study, filter=EVERYTHING)
    Standing.objects.filter(assignment=leaves).update(validity="invalid", reason="contradiction")
    for person in people[1:]:
        given(study.contested, person, standing=counted, helpfulness="video_1")
    Prompt.objects.filter(pk=other.pk).update(cluster="after")
    second = make(study, filter=EVERYTHING, parent=first.number)
    return first, second


def numbers(counts):
    return {kind: {part: number for part, number in of.items() if number} for kind, of in counts.items()}


EXPECTED = {
    "added": {"all": 2, "train": 2},
    "removed": {"all": 1, "test": 1},
    "changed": {"all": 1, "train": 1},
    "majority": {"all": 1, "train": 1},
}


def test_counts_rows_and_manifest_agree(study, two):
    first, second = two
    comparison = comparing.compare(second, first)
    counts = comparison.counts()
    assert numbers(counts) == EXPECTED
    parent = second.manifest["parent"]
    assert [parent[kind] for kind in ("added", "removed", "changed")] == [2, 1, 1]
    for kind, of in counts.items():
        for part in comparing.PARTS:
            assert len(comparison.rows(kind, part)) == of[part], (kind, part)
    [changed] = comparison.rows("changed")
    assert (changed.fields, changed.part) == (["cluster"], "train")
    [moved] = comparison.rows("majority")
    assert (moved.pair_id, moved.n_before, moved.n_now) == (study.contested.public_id, 1, 3)
    assert moved.questions == [("helpfulness", "video_0", "video_1")]


@pytest.mark.long
def test_lists_are_paged_by_key(study, two):
    comparison = comparing.compare(two[1], two[0])
    rows = comparison.rows("added")
    assert comparison.rows("added", most=1) == rows[:1]
    assert comparison.rows("added", after=rows[0].key) == rows[1:]


@pytest.mark.long
def test_the_page_links_every_number_to_its_rows(study, two, client, researcher):
    client.force_login(researcher)
    address = reverse("release_records:compare", args=[study.slug, 2])
    page = client.get(address).content.decode()
    assert "?with=1&amp;show=removed&amp;part=test#rows-title" in page
    rows = client.get(f"{address}?with=1&show=majority&part=train").content.decode()
    assert study.contested.public_id[:12] in rows
    none = client.get(f"{address}?with=1&show=majority&part=test").content.decode()
    assert "There are none of this kind" in none


@pytest.mark.long
def test_the_csv_and_the_api_have_the_same_rows(study, two, client, api, researcher):
    client.force_login(researcher)
    address = reverse("release_records:compare_csv", args=[study.slug, 2])
    sent = client.get(f"{address}?with=1&show=majority").getvalue().decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(sent))
    assert (row["question"], row["majority_before"], row["majority_now"]) == ("helpfulness", "video_0", "video_1")
    found = api(researcher).get(f"/api/v1/releases/{two[1].pk}/comparison/?other=1&show=added").json()
    assert numbers(found["counts"]) == EXPECTED
    sent = client.get(f"{address}?with=1&show=added").getvalue().decode("utf-8-sig")
    ids = [int(row["annotation_id"]) for row in csv.DictReader(io.StringIO(sent))]
    assert ids == [row["annotation_id"] for row in found["rows"]]
    moved = api(researcher).get(f"/api/v1/releases/{two[1].pk}/comparison/?show=majority").json()["rows"]
    assert moved[0]["majorities"] == [{"question": "helpfulness", "before": "video_0", "now": "video_1"}]


@pytest.mark.long
def test_nothing_is_said_of_a_withdrawn_release(study, two, client, api, researcher):
    key = str(comparing.compare(two[1], two[0]).rows("removed")[0].key)
    withdraw(study, subject(study, "answer", key), reason="Asked", actor=None)
    client.force_login(researcher)
    address = reverse("release_records:compare", args=[study.slug, 2])
    assert client.get(f"{address}?with=1").status_code == 410
    assert api(researcher).get(f"/api/v1/releases/{two[1].pk}/comparison/?other=1").status_code == 410
    page = client.get(address)
    assert (page.status_code, "no other release" in page.content.decode()) == (200, True)
    assert api(researcher).get(f"/api/v1/releases/{two[1].pk}/comparison/").status_code == 404
