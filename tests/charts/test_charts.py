"""Charts: what a specification shows, that it can be drawn, and files that are made once."""

import json
import re
import subprocess
import sys
from fractions import Fraction

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils import translation

from charts import bundle, catalogue, files, specifications
from charts.models import ChartFile
from diptych.statistics.acceptance import Terms, operating_curve
from figures import figure_charts
from qc import lot_charts, plans
from tests import factories
from tests.figures import figuring

pytestmark = pytest.mark.django_db

F = {"value": 0.5, "interval": [0.4, 0.6], "units": 60, "answers": 120}
NOTHING = {"value": "all_alike", "interval": "not_enough", "units": 0, "answers": 0}


def figures(**alphas):
    questions = ("instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness", "harmlessness")
    return {"questions": {key: {"alpha": alphas.get(key, F)} for key in questions}}


def curve():
    plan = plans.plan_of(200, Terms(Fraction(2, 100), Fraction(10, 100)))
    return lot_charts.operating_curve(plan, operating_curve(plan))


class TestSpecifications:
    def test_a_figure_without_a_number_is_left_out(self):
        made = figure_charts.by_question(figures(correctness=NOTHING))
        rows = made["data"]["values"]
        assert [row["question"] for row in rows] == [
            "Follows the prompt", "Eventful", "Looks better", "More helpful", "Safer",
        ]  # fmt: skip
        assert (rows[0]["value"], rows[0]["low"], rows[0]["high"]) == (0.5, 0.4, 0.6)

    def test_a_figure_without_an_interval_has_no_line(self):
        made = figure_charts.by_question(figures(helpfulness=F | {"interval": "not_enough"}))
        row = next(row for row in made["data"]["values"] if row["question"] == "More helpful")
        assert (row["low"], row["high"]) == (None, None)
        assert made["layer"][0]["transform"] == [{"filter": "isValid(datum.low)"}]

    def test_the_description_says_the_numbers_in_the_language_of_the_reader(self):
        assert "More helpful: 0.50 (0.40–0.60)" in figure_charts.by_question(figures())["description"]
        with translation.override("zh-hans"):
            assert "各问题的" in figure_charts.by_question(figures())["description"]

    def test_weeks_have_a_line_for_each_overall_preference(self):
        weeks = [{"name": "2026-02-23"} | figures(), {"name": "2026-03-02"} | figures(harmlessness=NOTHING)]
        rows = figure_charts.over_weeks(weeks)["data"]["values"]
        assert [(row["week"], row["question"]) for row in rows] == [
            ("2026-02-23", "More helpful"),
            ("2026-02-23", "Safer"),
            ("2026-03-02", "More helpful"),
        ]

    def test_the_curve_marks_the_two_shares_of_the_plan(self):
        marked = curve()["layer"][1]["data"]["values"]
        assert [(one["share"], round(one["accepted"], 3)) for one in marked] == [(0.02, 0.956), (0.1, 0.096)]

    def test_only_colours_of_okabe_and_ito_or_of_the_page(self):
        made = [
            figure_charts.by_question(figures()),
            figure_charts.over_weeks([{"name": "2026-03-02"} | figures()]),
            curve(),
        ]
        colours = {"#0072B2", "#D55E00"}
        assert set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(made))) == colours

    def test_a_page_takes_its_own_colours_and_a_file_has_some(self):
        def dressed(text):
            made = specifications.dress(curve(), text=text, background=None, width=640, font="sans-serif")
            return json.dumps(made)

        assert "currentColor" in dressed("currentColor")
        assert "currentColor" not in dressed("#1b1d20")


class TestFiles:
    @pytest.fixture
    def study(self, study):
        people = [factories.member(study, "annotator") for _ in range(2)]
        for number in range(6):
            figuring.disputed(figuring.sampled(study), people, number)
        figuring.asked(study)
        return study

    @pytest.mark.parametrize("name", ["agreement", "weeks"])
    def test_a_worker_draws_what_the_page_shows(self, study, researcher, name):
        chart = catalogue.find(study, name, {})
        file = files.ask(study, chart, "svg", actor=researcher)
        files.run(file.pk)
        file.refresh_from_db()
        assert file.state == "done", file.reason
        assert b"<svg" in file.content
        assert b"More helpful" in file.content

    def test_a_picture_has_chinese_words(self, study, researcher):
        with translation.override("zh-hans"):
            file = files.ask(study, catalogue.find(study, "agreement", {}), "svg", actor=researcher)
        files.run(file.pk)
        file.refresh_from_db()
        assert "更有" in bytes(file.content).decode()

    def test_the_same_chart_is_drawn_once(self, study, researcher):
        chart = catalogue.find(study, "agreement", {})
        one, two = (files.ask(study, chart, "svg", actor=researcher) for _ in range(2))
        other = files.ask(study, chart, "png", actor=researcher)
        assert one == two != other
        assert ChartFile.objects.count() == 2

    def test_a_wrong_specification_fails_the_job(self, study, researcher):
        wrong = catalogue.Chart("wrong", "/", "", {"mark": "nonsense", "data": {"values": []}})
        file = files.ask(study, wrong, "svg", actor=researcher)
        files.run(file.pk)
        file.refresh_from_db()
        assert file.state == "failed"
        assert files.ask(study, wrong, "svg", actor=researcher) != file

    def test_files_of_earlier_days_are_deleted(self, study, researcher):
        chart = catalogue.find(study, "agreement", {})
        old = files.ask(study, chart, "svg", actor=researcher)
        files.run(old.pk)
        ChartFile.objects.filter(pk=old.pk).update(finished_at=figuring.days_ago(2))
        files.ask(study, chart, "png", actor=researcher)
        assert not ChartFile.objects.filter(pk=old.pk).exists()

    def test_nothing_is_fetched_from_elsewhere(self):
        fetching = {"data": {"url": "http://127.0.0.1:9/data.csv"}, "mark": "point", "encoding": {}}
        with pytest.raises(ValueError, match=r"(?i)access|allowed|denied|fail"):
            files.drawn(fetching, "svg")

    @pytest.mark.long
    def test_the_way_of_a_file_on_the_pages(self, study, researcher, browser_client):
        client = browser_client(researcher)
        address = reverse("charts:draw_chart", args=[study.slug, "agreement"])
        assert client.post(address, {"format": "gif"}).status_code == 400
        assert client.post(reverse("charts:draw_chart", args=[study.slug, "odd"]), {"format": "svg"}).status_code == 404
        page = client.post(address, {"format": "svg"})["Location"]
        assert client.get(page).context["underway"].said == "Waiting for a worker"
        file = ChartFile.objects.get()
        download = reverse("charts:chart_download", args=[study.slug, file.pk])
        assert client.get(download).status_code == 404
        files.run(file.pk)
        assert download in client.get(page).content.decode()
        response = client.get(download)
        assert (response["Content-Type"], response.content[:4]) == ("image/svg+xml", b"<svg")

    def test_the_curve_of_a_lot_is_drawn(self, study, researcher):
        lot = factories.lot(study, factories.batch(study))
        chart = catalogue.find(study, "curve", {"lot": str(lot.number), "size": "200"})
        file = files.ask(study, chart, "png", actor=researcher)
        files.run(file.pk)
        file.refresh_from_db()
        assert bytes(file.content).startswith(b"\x89PNG")


class TestBundle:
    def test_it_is_among_the_static_files(self):
        listed = [path for finder in finders.get_finders() for path, _ in finder.list([])]
        assert listed.count(bundle.PATH) == 1

    def test_it_is_one_script_that_sets_the_function(self):
        text = bundle.script().decode()
        assert "window.vegaEmbed" in text
        assert len(text) < 1_000_000

    @pytest.mark.long
    def test_pages_and_a_starting_server_load_neither_numpy_nor_the_drawing(self):
        """Web processes are many, and only workers compute and draw."""
        code = (
            "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'diptych.settings'; django.setup();"
            "import diptych.urls; from django.urls import get_resolver; get_resolver().url_patterns;"
            "print([name for name in ('numpy', 'vl_convert') if name in sys.modules])"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == "[]"
