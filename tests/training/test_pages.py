"""Pages of training: the list, one run in each state, the form, and what the page of a release says."""

from datetime import timedelta

import pytest
from django.urls import reverse

from charts.catalogue import find
from tests.training import runs
from tests.training.training import released
from training import curves, pages
from training.models import ModelVersion, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(study):
    return released(study)


def test_a_run_is_queued_from_the_page_of_a_release(study, release, researcher, browser_client):
    client = browser_client(researcher)
    page = client.get(reverse("releases:release", args=[study.slug, release.number])).content.decode()
    link = reverse("training:from_release", args=[study.slug, release.number])
    assert link in page
    form = client.get(link, follow=True)
    assert form.status_code == 200
    body = {"release": release.number, "train": ["helpfulness"], "backbone": "small", "seed": 1}
    address = reverse("training:new", args=[study.slug])
    made = client.post(address, body, follow=True)
    run = Run.objects.get()
    assert f"Training run {run.pk}" in made.content.decode()
    again = client.post(address, body)
    assert again.status_code == 400
    assert "already waiting" in again.content.decode()
    mixed = client.post(address, body | {"train": ["helpfulness", "moderation"]})
    assert "a model of its own" in mixed.content.decode()
    client.post(reverse("training:cancel", args=[study.slug, run.pk]))
    run.refresh_from_db()
    assert run.state == "cancelled"
    client.post(reverse("training:again", args=[study.slug, run.pk]))
    run.refresh_from_db()
    assert run.state == "waiting"


def test_the_pages_of_runs_say_how_they_stand(study, release, researcher, browser_client):
    client = browser_client(researcher)

    def read(name, *arguments):
        response = client.get(reverse(f"training:{name}", args=[study.slug, *arguments]))
        assert response.status_code == 200
        return response.content.decode()

    assert "no training runs yet" in read("list")
    running = runs.run_of(release, researcher)
    assert "40 of 100 steps" in read("run", running.pk)
    assert client.get(reverse("training:progress", args=[study.slug, running.pk])).json()["steps"] == 40
    began = {"stage_at": running.heartbeat_at - timedelta(minutes=4), "stage_from": 0}
    Run.objects.filter(pk=running.pk).update(**began)
    assert "40 of 100 steps, at most 6 minutes left" in read("run", running.pk)
    failed = runs.failed(release, researcher)
    page = read("run", failed.pk)
    assert "Two pairs are in both parts." in page
    assert "pair-2" in page
    done = runs.done(release, researcher, "model/model.json")
    page = read("run", done.pk)
    for words in ("Agreement with people", "0.710", "0.650 – 0.770", "model/model.json", "candidate", "1 minute"):
        assert words in page
    listed = read("list")
    assert all(f"Run {run.pk}" in listed for run in (running, failed, done))
    jobs = client.get(reverse("studies:jobs", args=[study.slug])).content.decode()
    assert f"Training run {running.pk}" in jobs


def test_the_curve_of_a_long_run_is_bounded_and_its_chart_has_the_numbers_of_its_table(
    study, release, researcher, browser_client
):
    run = runs.run_of(release, researcher, log="one\n" * 200 + "last\n")
    address = reverse("training:curve", args=[study.slug, run.pk])
    client = browser_client(researcher)
    assert client.get(address).json()["chart"] is None
    steps = range(1, 1001)
    run.points.bulk_create(run.points.model(run=run, step=step, loss=1 - step / 2000) for step in steps)
    run.points.create(run=run, part="validation", step=1000, loss=0.625)
    found = client.get(address).json()
    assert len(found["rows"]) == curves.MOST
    assert found["rows"][-1] == ["1,000", "0.5018", "0.6250"]
    values = found["chart"]["data"]["values"]
    assert [one["loss"] for one in values if one["of"] == "Validation"] == [0.625]
    assert [f"{one['loss']:.4f}" for one in values if one["of"] == "Training"] == [row[1] for row in found["rows"]]
    assert found["log"].splitlines()[-1] == "last"
    assert len(found["log"].splitlines()) == pages.LOG_LINES
    page = client.get(reverse("training:run", args=[study.slug, run.pk])).content.decode()
    assert page.count("<tr>") > curves.MOST
    assert find(study, "training-loss", {"run": str(run.pk)}).for_page == found["chart"]


@pytest.mark.long
def test_a_release_names_the_versions_that_were_trained_on_it(study, release, researcher, browser_client):
    run = runs.done(release, researcher)
    page = browser_client(researcher).get(reverse("releases:release", args=[study.slug, release.number]))
    version = ModelVersion.objects.get(run=run)
    assert reverse("models:version", args=[study.slug, version.family_id, version.number]) in page.content.decode()
