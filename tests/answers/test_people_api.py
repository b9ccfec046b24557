"""The API of people's progress: the figures of the page, to the same people, in pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from answers import api_people
from studies.pseudonyms import pseudonym
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(study):
    """Create three people: one with three answers, one with one, one with none."""
    factories.pairs(study, 12)
    found = {name: factories.member(study, "annotator", username=name) for name in ("lab-10", "lab-2", "lab-1")}
    for name, count in (("lab-10", 3), ("lab-2", 1)):
        for number in range(count):
            factories.answer(found[name], study, unsure=number == 0)
    return found


@pytest.fixture
def get(study, researcher, api):
    def ask(path="", *, person=researcher, **query):
        return api(person).get(f"/api/v1/studies/{study.slug}/people-progress/{path}", query)

    return ask


def test_everybody_is_listed_with_the_figures_of_the_page(study, work, get, researcher):
    body = get().json()
    assert [row["username"] for row in body["people"]] == ["lab-1", "lab-2", "lab-10"]
    assert (body["count"], body["next"], body["total"]["pairs"]) == (3, None, 4)
    row = body["people"][2]
    assert (row["person"], row["pairs"], row["used"], row["unsure"]) == (work["lab-10"].pk, 3, 3, 1)
    assert (row["is_annotator"], row["s_a_pair"]) == (True, round(row["active_s"] / 3, 1))
    assert body["people"][0]["last_answer"] is None
    assert [row["username"] for row in get(sort="pairs", answered="true").json()["people"]] == ["lab-10", "lab-2"]


def test_days_are_those_of_the_person_who_asks(study, work, get, researcher):
    researcher.time_zone = "Pacific/Auckland"
    researcher.save()
    today = timezone.localdate(timezone=api_people.zone_of(researcher))
    body = get("days/", person=researcher, first=today.isoformat()).json()
    assert body["time_zone"] == "Pacific/Auckland"
    found = [(row["username"], row["day"], row["pairs"]) for row in body["days"]]
    assert found == [("lab-2", today.isoformat(), 1), ("lab-10", today.isoformat(), 3)]
    assert get("days/", person=researcher, last="2020-01-01").json()["days"] == []
    later = (today + timedelta(days=1)).isoformat()
    assert get(person=researcher, first=later, answered="true").json()["people"] == []


def test_days_of_one_person(work, get, study, api, researcher):
    address = f"/api/v1/studies/{study.slug}/people-progress/days/"
    body = api(researcher).get(address, {"person": work["lab-2"].pk}).json()
    assert [row["username"] for row in body["days"]] == ["lab-2"]


def test_long_lists_come_in_pages(work, get, monkeypatch):
    monkeypatch.setattr(api_people, "A_PAGE", 2)
    first = get().json()
    assert ([row["username"] for row in first["people"]], first["next"]) == (["lab-1", "lab-2"], 2)
    second = get(page=2).json()
    assert ([row["username"] for row in second["people"]], second["next"]) == (["lab-10"], None)
    assert first["total"] == second["total"]
    assert get(page=9).json()["people"] == []


def test_only_admins_get_codes_and_only_who_counts_work_gets_anything(study, work, get):
    admin = factories.member(study, "admin")
    codes = {row["username"]: row["annotator_id"] for row in get(person=admin).json()["people"]}
    assert codes["lab-2"] == pseudonym(study, work["lab-2"].pk)
    assert all("annotator_id" not in row for path in ("", "days/") for row in rows(get(path)))
    for person in (work["lab-2"], factories.member(study, "reviewer")):
        assert (get(person=person).status_code, get("days/", person=person).status_code) == (403, 403)


def rows(response):
    body = response.json()
    return body["people"] if "people" in body else body["days"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"first": "yesterday"}, "first"),
        ({"first": "2026-02-02", "last": "2026-02-01"}, "last"),
        ({"last": "9999-12-31"}, "last"),
        ({"page": "0"}, "page"),
        ({"sort": "nonsense"}, "sort"),
    ],
)
def test_invalid_parameters_are_refused_and_named(get, query, field):
    refused = get(**query)
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])
    assert get(nonsense=1).json()["code"] == "unknown_parameter"
