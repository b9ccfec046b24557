"""The pages, files and API of controls."""

import json

import pytest
from django.urls import reverse

from controls.models import Control
from studies.models import Membership
from tests import factories
from tests.controls.made import agreed, control_of, results

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


@pytest.fixture
def control(study):
    return control_of(study, factories.pair(study, held="elsewhere"))


def address(study, name, *more):
    return reverse(f"controls:{name}", args=[study.slug, *more])


def test_without_controls_the_page_says_what_is_missing_and_how_to_begin(client, study):
    page = client.get(address(study, "controls")).content.decode()
    assert "This study has no controls yet" in page
    assert "The setting appears once there are controls." in page


def test_how_many_are_possible_is_shown_before_any_is_made(client, study):
    agreed(study, [factories.member(study, "annotator") for _ in range(3)])
    page = client.get(address(study, "controls"), {"preview": "consensus_repeat"}).content.decode()
    assert "Consensus repeat: 1 is possible now." in page
    assert not Control.objects.exists()
    made = client.post(address(study, "make_controls"), {"kind": "consensus_repeat", "number": "1"}, follow=True)
    assert "1 control was made." in made.content.decode()
    assert Control.objects.count() == 1
    page = client.get(address(study, "controls"), {"preview": "tag_gold"}).content.decode()
    assert "Tag gold: none is possible now." in page


@pytest.mark.parametrize("number", ["0", "x", "", "1001", "９"])
def test_a_wrong_number_is_explained_and_makes_nothing(client, study, number):
    page = client.post(address(study, "make_controls"), {"kind": "tag_gold", "number": number}, follow=True)
    assert "Choose a number from 1 to 1000." in page.content.decode()
    assert not Control.objects.exists()


def test_each_number_leads_to_as_many_rows(client, study, control, annotator):
    results(control, annotator, [True] * 3 + [False] * 2)
    page = client.get(address(study, "controls"))
    [summary] = [one for one in page.context["summary"] if one.n]
    assert (summary.in_use, summary.n, summary.right) == (1, 5, 3)
    where = address(study, "control_results")
    for query, number in [("withdrawn=no", 5), ("withdrawn=no&right=yes", 3), (f"control={control.pk}", 5)]:
        found = client.get(f"{where}?kind=consensus_repeat&{query}")
        assert found.context["count"].number == number, query
    lines = client.get(f"{address(study, 'control_results_csv')}?right=no").getvalue().decode().splitlines()
    assert len(lines) == 1 + 2
    people = client.get(address(study, "control_people_csv")).getvalue().decode().splitlines()
    assert people[1].split(",")[1:4] == ["consensus_repeat", "5", "3"]
    assert len(client.get(address(study, "controls_csv")).getvalue().decode().splitlines()) == 2


def test_a_control_is_withdrawn_with_a_reason(client, study, control, annotator):
    results(control, annotator, [True])
    there = address(study, "withdraw_control", control.pk)
    assert "Say why" in client.post(there, {"because": " "}, follow=True).content.decode()
    page = client.post(there, {"because": "The trio was wrong."}, follow=True).content.decode()
    assert "The figures of 1 person leave it out from now on." in page
    assert "The trio was wrong." in page
    assert client.get(address(study, "controls")).context["summary"][0].n == 0


def test_who_also_annotates_sees_no_controls(client, study, researcher):
    Membership.objects.create(study=study, person=researcher, role="annotator")
    for name in ("controls", "control_people", "control_results", "controls_csv"):
        assert client.get(address(study, name)).status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_controls(client, study, control, django_assert_max_num_queries):
    for _ in range(5):
        control_of(study, factories.pair(study, held="elsewhere"))
    with django_assert_max_num_queries(30):
        client.get(address(study, "controls"))


class TestApi:
    def test_controls_are_made_listed_and_withdrawn(self, api, study, researcher):
        agreed(study, [factories.member(study, "annotator") for _ in range(3)])
        client, where = api(researcher), f"/api/v1/studies/{study.slug}/controls/"
        possible = client.get(f"{where}runs/?kind=consensus_repeat").json()
        assert possible == {"kind": "consensus_repeat", "possible": 1}
        run = client.post(f"{where}runs/", {"kind": "consensus_repeat", "number": 3}, format="json")
        assert (run.status_code, run.json()["made"], run.json()["state"]) == (201, 1, "done")
        assert client.get(f"{where}runs/{run.json()['id']}/").json()["outcome"].startswith("1 control was made.")
        listed = client.get(where).json()
        [control] = listed["controls"]
        assert (control["kind"], control["state"], listed["next"]) == ("consensus_repeat", "in_use", None)
        done = client.post(f"{where}{control['control']}/withdraw/", {"because": "Wrong."}, format="json")
        assert done.json() == {"control": control["control"], "people": 0}
        assert client.get(f"{where}?state=in_use").json()["controls"] == []

    @pytest.mark.long
    def test_figures_of_people_are_those_of_the_page(self, api, study, researcher, control, annotator):
        results(control, annotator, [True] * 25)
        [row] = api(researcher).get(f"/api/v1/studies/{study.slug}/controls/people/").json()["people"]
        assert (row["n"], row["right"], row["high"], row["alarm"], row["honest_rate_from"]) == (
            25,
            25,
            1,
            "",
            "default",
        )

    def test_an_annotator_finds_nothing_about_controls(self, api, study, annotator):
        for path in ("", "people/", "runs/?kind=tag_gold"):
            response = api(annotator).get(f"/api/v1/studies/{study.slug}/controls/{path}")
            assert response.status_code == 403, json.dumps(response.json())
