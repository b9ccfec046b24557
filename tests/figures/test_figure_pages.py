"""Pages, files and API of figures: who computes them, what they show, and the rows behind each number."""

import csv
import io
import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent
from diptych.refusals import Refused
from figures import figure_jobs
from figures.models import StudyFigures
from jobs import engine
from studies.pseudonyms import pseudonym
from studies.templatetags import shares
from tests import factories
from tests.controls.made import control_of, results
from tests.figures.figuring import asked, given, sampled

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(study):
    return [factories.member(study, "annotator") for _ in range(3)]


@pytest.fixture
def answered(study, people):
    """Four pairs of the sample: two on which everybody agrees, one with another choice, one with another tag."""
    pairs = [sampled(study) for _ in range(4)]
    for number, pair in enumerate(pairs):
        given(pair, people[0], tags_video_0=["hate"] if number == 3 else [])
        given(pair, people[1], helpfulness="video_1" if number == 2 else "video_0")
    return pairs


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


def page_of(client, name, study, *more, **query):
    response = client.get(reverse(f"figures:{name}", args=[study.slug, *more]), query)
    assert response.status_code == 200
    return response


class TestComputing:
    @pytest.mark.long
    def test_a_worker_computes_what_a_person_asks_for(self, client, study, answered, researcher):
        assert "not been computed yet" in page_of(client, "agreement", study).content.decode()
        client.post(reverse("figures:compute_agreement", args=[study.slug]))
        job = StudyFigures.objects.get()
        assert (job.state, job.kind, job.asked_by) == ("waiting", "agreement", researcher)
        assert page_of(client, "agreement", study).context["underway"].watch
        figure_jobs.run(job.pk)
        shown = page_of(client, "agreement", study).context
        assert (shown["underway"], shown["is_behind"], shown["figures"]["pairs"]) == (None, False, 4)
        actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
        assert actions[-2:] == ["figures.asked", "figures.ended"]

    def test_the_page_says_that_answers_came_since(self, client, study, answered, people):
        asked(study)
        given(sampled(study), people[0])
        shown = page_of(client, "agreement", study)
        assert "New answers have arrived since then." in shown.content.decode()
        assert shown.context["figures"]["answers"] == 8

    def test_only_one_computation_of_a_kind_is_open(self, study, researcher):
        figure_jobs.compute(study, "agreement", actor=researcher)
        with pytest.raises(Refused, match="computed already"):
            figure_jobs.compute(study, "agreement", actor=researcher)
        figure_jobs.compute(study, "annotators", actor=researcher)
        assert StudyFigures.objects.count() == 2

    @pytest.mark.long
    def test_newer_figures_replace_older_ones_of_their_kind(self, study, answered):
        asked(study)
        other = asked(study, "annotators")
        newer = asked(study)
        assert set(StudyFigures.objects.all()) == {other, newer}

    def test_cancelled_figures_leave_the_earlier_ones(self, client, study, answered, researcher):
        before = asked(study)
        job = figure_jobs.compute(study, "agreement", actor=researcher)
        client.post(reverse("figures:cancel_figures", args=[study.slug, job.pk]))
        figure_jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "cancelled"
        assert figure_jobs.newest(study, "agreement") == before

    @pytest.mark.long
    def test_a_computation_whose_worker_was_killed_starts_again(self, study, answered, researcher):
        job = figure_jobs.compute(study, "agreement", actor=researcher)
        assert engine.claim(figure_jobs.POLICY, job.pk)
        StudyFigures.objects.update(heartbeat_at="2026-01-01T00:00Z")
        figure_jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.fence) == ("done", 2)

    @pytest.mark.long
    def test_the_page_reads_no_answers(self, client, study, answered):
        asked(study)
        page_of(client, "agreement", study)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page_of(client, "agreement", study)
        tables = [query["sql"] for query in queries if "annotation_assignment" in query["sql"]]
        assert tables == []
        assert len(queries) <= 10


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_computation_remains(study, researcher):
    outcomes, start = [], threading.Barrier(2)

    def ask() -> None:
        start.wait()
        try:
            outcomes.append(figure_jobs.compute(study, "agreement", actor=researcher).state)
        except Refused as reason:
            outcomes.append(reason.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["busy", "waiting"]
    assert StudyFigures.objects.count() == 1


class TestAgreementPage:
    def test_reviewers_see_sums_and_no_rows(self, browser_client, study, answered):
        asked(study)
        response = page_of(browser_client(factories.member(study, "reviewer")), "agreement", study)
        assert response.context["figures"]["questions"]["helpfulness"]["percent"]["value"] == 0.75
        assert reverse("figures:agreement_pairs", args=[study.slug]) not in response.content.decode()
        assert "Compute again" not in response.content.decode()

    @pytest.mark.long
    def test_the_address_chooses_answers_groups_and_measure(self, client, study, answered):
        asked(study)
        shown = page_of(client, "agreement", study, answers="valid", by="language", measure="percent").context
        assert (shown["used"], shown["by"], shown["measure"]) == ("valid", "language", "percent")
        assert [(one["label"], one["pairs"]) for one in shown["groups"]] == [("en", 4)]
        odd = page_of(client, "agreement", study, answers="x", by="y", measure="z").context
        assert (odd["used"], odd["by"], odd["measure"]) == ("all", "week", "alpha")

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ({}, [0, 1, 2, 3]),
            ({"subject": "helpfulness", "part": "different"}, [2]),
            ({"subject": "helpfulness", "part": "equal"}, [0, 1, 3]),
            ({"subject": "correctness", "part": "different"}, []),
            ({"subject": "tags", "part": "different"}, [3]),
            ({"subject": "hate", "part": "given"}, [3]),
            ({"subject": "hate", "part": "both"}, []),
            ({"subject": "hate", "part": "neither"}, [0, 1, 2, 3]),
            ({"language": "en"}, [0, 1, 2, 3]),
            ({"language": "de"}, []),
            ({"prompt_type": "safety_critical"}, []),
            ({"protocol_version": "1"}, [0, 1, 2, 3]),
            ({"lot": "0"}, [0, 1, 2, 3]),
            ({"lot": "7"}, []),
            ({"week": "2020-01-06"}, []),
        ],
    )
    def test_the_rows_behind_a_number(self, client, study, answered, query, numbers):
        found = page_of(client, "agreement_pairs", study, **query).context.get("rows", [])
        assert [row.pair_id for row in found] == [answered[number].public_id for number in numbers]
        text = (
            client.get(reverse("figures:agreement_pairs_csv", args=[study.slug]), query).getvalue().decode("utf-8-sig")
        )
        assert [line["pair_id"] for line in csv.DictReader(io.StringIO(text))] == [row.pair_id for row in found]

    @pytest.mark.long
    def test_every_group_leads_to_its_pairs(self, client, study, answered):
        asked(study)
        for kind in ("week", "lot", "language", "prompt_type", "protocol_version"):
            for group in page_of(client, "agreement", study, by=kind).context["groups"]:
                rows = page_of(client, "agreement_pairs", study, **{kind: group["name"]}).context["rows"]
                assert len(rows) == group["pairs"], (kind, group)

    def test_without_a_question_in_the_address_the_filter_shows_the_one_that_is_listed(self, client, study, answered):
        shown = page_of(client, "agreement_pairs", study)
        first = next(iter(shown.context["filters"].fields["subject"].choices))
        assert (first[0], str(first[1])) == ("helpfulness", str(shown.context["subject"]))

    def test_pairs_are_listed_by_pages(self, client, study, people, monkeypatch):
        monkeypatch.setattr("figures.agreement.rows.PAGE", 2)
        pairs = [sampled(study) for _ in range(3)]
        for pair in pairs:
            given(pair, people[0])
            given(pair, people[1])
        first = page_of(client, "agreement_pairs", study).context
        second = page_of(client, "agreement_pairs", study, after=first["page"].next).context
        ids = [row.pair_id for page in (first, second) for row in page["rows"]]
        assert ids == [pair.public_id for pair in pairs]
        assert second["page"].next == ""

    def test_wrong_filters_are_explained(self, client, study):
        for name in ("agreement_pairs", "agreement_pairs_csv"):
            assert client.get(reverse(f"figures:{name}", args=[study.slug]), {"week": "soon"}).status_code == 400

    def test_somebody_who_annotates_too_sees_only_pairs_that_they_answered(
        self, browser_client, study, answered, people
    ):
        people[2].memberships.create(study=study, role="researcher")
        given(answered[1], people[2])
        shown = page_of(browser_client(people[2]), "agreement_pairs", study).context
        assert [row.pair_id for row in shown["rows"]] == [answered[1].public_id]

    def test_the_file_has_every_figure(self, client, study, answered):
        asked(study)
        text = client.get(reverse("figures:agreement_csv", args=[study.slug])).getvalue().decode("utf-8-sig")
        lines = list(csv.DictReader(io.StringIO(text)))
        percent = [one for one in lines if (one["subject"], one["measure"]) == ("helpfulness", "percent")]
        assert {(one["answers_used"], one["group"], one["value"], one["low"]) for one in percent} >= {
            ("all", "", "0.75", "not_enough"),
            ("valid", "", "0.75", "not_enough"),
            ("all", "language", "0.75", "not_enough"),
        }
        hate = next(one for one in lines if (one["subject"], one["measure"]) == ("hate", "ac1"))
        assert [hate[name] for name in ("given", "both", "first", "second", "neither")] == ["1", "0", "1", "0", "7"]

    def test_without_figures_there_is_no_file(self, client, study):
        assert client.get(reverse("figures:agreement_csv", args=[study.slug])).status_code == 404


class TestApi:
    def test_it_returns_the_same_figures(self, api, study, answered, researcher):
        client, address = api(researcher), reverse("api:agreement", args=[study.slug])
        assert client.get(address).json() == {
            "computed_at": None, "behind": False, "computation": None, "figures": None,
        }  # fmt: skip
        started = client.post(address)
        assert (started.status_code, started.json()["state"]) == (202, "waiting")
        assert client.post(address).status_code == 409
        figure_jobs.run(started.json()["id"])
        said = client.get(address).json()
        assert said["figures"]["all"]["questions"]["helpfulness"]["percent"]["value"] == 0.75

    def test_names_of_annotators_are_for_admins(self, api, study, answered, researcher):
        address = reverse("api:annotators", args=[study.slug])
        assert api(researcher).post(address).status_code == 202
        figure_jobs.run(StudyFigures.objects.get().pk)
        mine = api(researcher).get(address).json()["annotators"]
        assert [one["name"] for one in mine] == ["", ""]
        assert [one["code"] for one in mine] == sorted(one["code"] for one in mine)
        assert all("person" not in one for one in mine)
        named = api(factories.member(study, "admin")).get(address).json()["annotators"]
        assert all(one["name"].startswith("person-") for one in named)


def test_a_zero_has_no_sign():
    assert shares.in_words(-0.001) == "0.00"
    assert shares.in_words(-0.01) == "-0.01"


class TestControlsOfAnnotators:
    """The share on controls leads to single results, for those who may see controls."""

    @pytest.fixture
    def on_controls(self, study, answered, people):
        control = control_of(study, factories.pair(study, held="elsewhere"))
        results(control, people[0], [True, False])
        asked(study, "annotators")

    def test_a_researcher_is_led_to_the_results_of_the_person(self, client, study, on_controls, people):
        code = pseudonym(study, people[0].pk)
        where = f"?author={code}&amp;kind=consensus_repeat&amp;withdrawn=no"
        for page in (page_of(client, "annotators", study), page_of(client, "annotator", study, code)):
            assert reverse("controls:control_results", args=[study.slug]) + where in page.content.decode()

    def test_a_researcher_who_also_annotates_is_not(self, client, study, on_controls, people, researcher):
        researcher.memberships.create(study=study, role="annotator")
        page = page_of(client, "annotators", study).content.decode()
        assert "Consensus repeat" in page
        assert reverse("controls:control_results", args=[study.slug]) not in page
