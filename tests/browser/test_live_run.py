"""The page of a run that a worker does: its loss, its log, its steps and its end appear without a reload."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from releases.filters import Filter
from tests import factories
from tests.releases import releasing
from tests.training import runs
from training import claims
from training.models import Run

pytestmark = pytest.mark.long


@pytest.fixture
def run(study):
    releasing.answered(study, pairs=2)
    release = releasing.make(study, filter=Filter(decisions=("none",)))
    owner = factories.member(study, "researcher")
    return runs.run_of(release, owner, steps=0, steps_total=100, stage_at=timezone.now())


def test_what_the_worker_reports_appears_without_a_reload(open_page, study, run):
    page = open_page(f"/studies/{study.slug}/training/{run.pk}/", run.asked_by)
    page.evaluate("window.stays = true")
    expect(page.locator("[data-loss]")).to_be_hidden()
    points = [("training", step, 1 / step) for step in range(1, 31)]
    claims.report(run, 1, points=points, log="Epoch 1\n", stage="training", steps=30, steps_total=100)
    expect(page.locator("[data-loss]")).to_be_visible(timeout=15_000)
    expect(page.locator("[data-loss] .plot canvas, [data-loss] .plot svg").first).to_be_visible()
    expect(page.locator("[data-log-text]")).to_have_text("Epoch 1\n")
    expect(page.get_by_text("30 of 100 steps")).to_be_visible()
    page.get_by_text("Show the table").click()
    expect(page.locator("[data-loss-rows] tr")).to_have_count(30)
    claims.report(run, 1, points=[("training", 60, 0.01)], log="Epoch 1\nEpoch 2\n", stage="training", steps=60)
    expect(page.get_by_text("60 of 100 steps")).to_be_visible(timeout=15_000)
    expect(page.locator("[data-log-text]")).to_have_text("Epoch 1\nEpoch 2\n", timeout=15_000)
    expect(page.locator("[data-loss-rows] tr")).to_have_count(31)
    assert page.evaluate("window.stays")
    ended = {"state": "done", "finished_at": timezone.now(), "heartbeat_at": None, "metrics": [], "wall_s": 12}
    Run.objects.filter(pk=run.pk).update(**ended)
    expect(page.get_by_text("done", exact=True).first).to_be_visible(timeout=15_000)
