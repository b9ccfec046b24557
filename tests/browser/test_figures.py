"""Charts in a real browser under the policy of the pages, and their files."""

import pytest
from playwright.sync_api import expect

from charts import files
from charts.models import ChartFile
from tests import factories
from tests.figures import figuring


@pytest.fixture
def world(study):
    """Return a study with computed agreement of 60 pairs over three weeks, and its researcher."""
    people = [factories.member(study, "annotator") for _ in range(3)]
    for number in range(60):
        figuring.disputed(figuring.sampled(study), people, number)
    figuring.asked(study)
    figuring.asked(study, "annotators")
    return study, factories.member(study, "researcher")


@pytest.mark.long
def test_the_charts_of_agreement_are_drawn_under_the_policy(open_page, world):
    study, researcher = world
    page = open_page(f"/studies/{study.slug}/agreement/", researcher)
    charts = page.locator("[data-chart] svg")
    expect(charts).to_have_count(2)
    expect(page.locator("[data-chart-failed]:not([hidden])")).to_have_count(0)
    box = charts.first.bounding_box()
    assert box["width"] > 300
    assert box["height"] > 100
    expect(charts.first).to_contain_text("More helpful")
    expect(page.locator("table").first).to_contain_text("More helpful")


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_of_charts_can_be_read_in_both_themes_and_on_a_phone(open_page, world, scheme):
    study, researcher = world
    page = open_page(
        f"/studies/{study.slug}/agreement/", researcher, color_scheme=scheme, viewport={"width": 390, "height": 800}
    )
    text = page.locator("[data-chart] svg text").first
    expect(text).to_be_visible()
    assert text.evaluate("e => getComputedStyle(e).fill") == page.evaluate(
        "getComputedStyle(document.querySelector('[data-chart]')).color"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.long
def test_a_chart_is_downloaded_as_a_file(open_page, world):
    study, researcher = world
    page = open_page(f"/studies/{study.slug}/agreement/", researcher)
    page.get_by_role("button", name="SVG").first.click()
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    files.run(ChartFile.objects.get().pk)
    link = page.get_by_role("link", name="Download the chart")
    expect(link).to_be_visible()  # the page reloads itself
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == f"{study.slug}-agreement.svg"
    assert "More helpful" in download.value.path().read_text()


@pytest.mark.long
def test_only_pages_with_charts_load_the_script(open_page, world):
    study, researcher = world
    lot, annotator = factories.lot(study, factories.batch(study)), factories.member(study, "annotator")
    for address, person, loads in (
        (f"/studies/{study.slug}/agreement/", researcher, True),
        (f"/studies/{study.slug}/lots/{lot.number}/", researcher, True),
        (f"/studies/{study.slug}/", researcher, False),
        (f"/studies/{study.slug}/workspace/", annotator, False),
        (f"/studies/{study.slug}/my-work/", annotator, False),
    ):
        page = open_page(address, person)
        assert bool(page.locator("script[src*='made/vega']").count()) is loads, address
        if loads:
            expect(page.locator("[data-chart] svg").first).to_be_visible()
