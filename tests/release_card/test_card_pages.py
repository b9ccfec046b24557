"""The pages of the data card and of the figures of a release, the CSV files, and the charts."""

import csv
import io

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from annotation.models import Annotation
from charts import catalogue, files
from charts.models import ChartFile
from diptych.refusals import NotThere
from release_card.figures import charts, tables
from releases.models import Release
from releases.withdrawing import subject, withdraw
from tests.release_card.carded import answered_study, card_of
from tests.releases.releasing import answered, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


@pytest.fixture
def release(study):
    answered_study(study)
    return card_of(study)[0]


@pytest.fixture
def get(client, study):
    def page(name, *arguments, **query):
        return client.get(reverse(f"release_card:{name}", args=[study.slug, *arguments]), query)

    return page


@pytest.mark.long
def test_the_release_leads_to_its_card_and_its_figures(study, client, release):
    page = client.get(reverse("releases:release", args=[study.slug, release.number])).content.decode()
    for name in ("card", "figures"):
        assert reverse(f"release_card:{name}", args=[study.slug, release.number]) in page
    assert 'data-chart="' in page


@pytest.mark.long
def test_the_card_is_shown_with_its_tables(get, release):
    page = get("card", release.number).content.decode()
    for said in ("Who annotated", "gen-a", "refiner 2", "Krippendorff’s alpha", "By the hour, breaks included"):
        assert said in page


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", pytest.param("zh-hans", marks=pytest.mark.long)])
def test_the_figures_are_shown_with_charts_and_tables(study, client, release, language):
    client.cookies["django_language"] = language
    path = reverse("release_card:figures", args=[study.slug, release.number])
    page = client.get(path, {"question": "correctness", "category": "violence"}).content.decode()
    assert page.count('data-chart="') == 7
    assert "gen-b" in page
    for name in tables.TABLES:
        assert reverse("release_card:figure_csv", args=[study.slug, release.number, name]) in page


def test_a_release_of_one_answer_says_what_is_not_enough(study, get):
    answered(study)
    release = card_of(study)[0]
    page = get("figures", release.number).content.decode()
    assert "Not enough data: no pair has videos of two named generators." in page
    assert "Not enough data: no prompt of this release has labels." in page


@pytest.mark.long
def test_each_figure_is_a_csv_file(get, release):
    for name in tables.TABLES:
        response = get("figure_csv", release.number, name)
        rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
        assert len(rows) > 1, name
        assert len({len(row) for row in rows}) == 1, name
    rates_have_their_interval_and_n(get("figure_csv", release.number, "win-rates"))
    assert get("figure_csv", release.number, "other").status_code == 404


def rates_have_their_interval_and_n(response):
    [first, *_] = csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig")))
    assert (first["generator"], first["against"], first["question"]) == ("gen-a", "", "instruction_following")
    assert first["win_rate_low"] == "not_enough"
    assert first["win_rate_n"] == first["pairs"] == "4"


class TestCharts:
    @pytest.mark.long
    def test_each_chart_belongs_to_its_address(self, study, release):
        for name in charts.NAMES:
            query = {"release": str(release.number), "category": "all"}
            found = catalogue.find(study, f"{charts.PREFIX}{name}", query)
            assert found.query.startswith(f"release={release.number}")
            assert found.specification["description"]
            assert found.for_page["width"] == "container"

    @pytest.mark.long
    @pytest.mark.parametrize("name", charts.NAMES)
    def test_each_chart_can_be_drawn(self, study, release, researcher, name):
        found = catalogue.find(study, f"{charts.PREFIX}{name}", {"release": str(release.number)})
        for format in ChartFile.Format.values:
            file = files.ask(study, found, format, actor=researcher)
            files.run(file.pk)
            file.refresh_from_db()
            assert file.state == "done", file.reason
            assert b"<svg" in bytes(file.content)[:200] or bytes(file.content).startswith(b"\x89PNG")

    def test_a_chart_of_no_release_is_not_there(self, study):
        for query in ({}, {"release": "x"}, {"release": "99"}, {"release": "9" * 20}):
            with pytest.raises(NotThere):
                catalogue.find(study, "release-harm", query)


class TestNothingToShow:
    def withdraw(self, study, researcher):
        key = str(Annotation.objects.filter(study=study).order_by("pk")[0].pk)
        withdraw(study, subject(study, "answer", key), reason="Asked", actor=researcher)

    @pytest.mark.long
    def test_a_withdrawn_release_shows_neither(self, study, get, release, researcher):
        self.withdraw(study, researcher)
        for name in ("card", "figures"):
            page = get(name, release.number).content.decode()
            assert "The release was withdrawn" in page
            assert "gen-a" not in page
        assert get("figure_csv", release.number, "harm").status_code == 404
        with pytest.raises(NotThere):
            catalogue.find(study, "release-harm", {"release": str(release.number)})

    def test_a_release_that_is_made_says_so(self, study, client, get):
        answered_study(study, prompts=2)
        waiting = ask(study)
        assert "The release is still being made" in get("card", waiting.number).content.decode()
        released = client.get(reverse("releases:release", args=[study.slug, waiting.number])).content.decode()
        assert "Show the data card" not in released

    @pytest.mark.long
    def test_a_storage_that_is_away_is_said(self, get, release):
        file = release.files.get(path="card.json")
        default_storage.delete(file.stored_name)
        assert "The storage does not answer." in get("card", release.number).content.decode()
        assert Release.objects.get(pk=release.pk).state == "done"
