"""Browsers that lack something newer: pages work, or say so before a pair is leased. They never fail every video."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from annotation.models import Assignment
from tests.browser.conftest import HAS_BEEN_WELCOMED, cookies_of
from tests.browser.working import is_ready

NOTICE = "[data-browser-notice]"
#: Newer functions that have a substitute, or that some browsers and windows do not have at all.
SUBSTITUTED = """
    delete AbortSignal.any; delete AbortSignal.timeout; delete Crypto.prototype.randomUUID;
    delete Navigator.prototype.locks; delete window.BroadcastChannel; delete window.indexedDB;
    delete window.structuredClone;
    delete Element.prototype.checkVisibility; delete Promise.withResolvers; delete Object.groupBy; delete URL.canParse;
    delete Set.prototype.union; delete Iterator.prototype.map; delete Iterator.prototype.filter;
    delete HTMLElement.prototype.showPopover; delete window.requestIdleCallback;
"""


def without(name):
    """A script that takes something away, as it is missing in an older browser."""
    holder, _, last = f"window.{name}".rpartition(".")
    return f"delete {holder}['{last}']"


@pytest.fixture
def open_old(chromium, server, transactional_db):
    """Opens a page in a browser that lacks something. Errors of its scripts are expected."""
    contexts = []

    def make(path, script, person=None, **options):
        context = chromium.new_context(base_url=server, locale="en", **options)
        contexts.append(context)
        context.add_init_script(script)
        if person:
            context.add_cookies(cookies_of(person, server))
            context.add_init_script(HAS_BEEN_WELCOMED % person.pk)
        page = context.new_page()
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()


def listed():
    """The names without which the pages say that the browser is too old."""
    script = (settings.BASE_DIR / "static/js/page/browser_check.js").read_text()
    return re.findall(r'"([\w.]+)"', script[script.index("NAMES = [") : script.index("];")])


def test_what_has_a_substitute_is_not_missed(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 2)
    page = open_page("/accounts/viewing/", annotator)
    page.context.add_init_script(SUBSTITUTED)
    page.goto(f"/studies/{study.slug}/workspace/")
    is_ready(page)
    for caption in page.locator("[data-caption]").all():
        expect(caption).to_have_text("ready")
    for failed in page.locator("[data-failed]").all():
        expect(failed).to_be_hidden()
    expect(page.locator(NOTICE)).to_be_hidden()


@pytest.mark.parametrize(
    "missing",
    ["Array.prototype.toSorted", "HTMLElement.prototype.inert", "matchMedia", "Intl.NumberFormat"],
    ids=["a listed function", "a listed property", "what a module needs as it begins", "the same of another module"],
)
def test_a_browser_that_is_too_old_says_so_and_takes_no_pair(open_old, study, annotator, playable_pairs, missing):
    playable_pairs(study, 2)
    page = open_old(f"/studies/{study.slug}/workspace/", without(missing), annotator)
    notice = page.locator(NOTICE)
    expect(notice).to_be_visible()
    expect(notice.locator('[lang="en"]')).to_contain_text("This browser is too old")
    expect(notice.locator('[lang="zh-Hans"]')).to_contain_text("浏览器")
    expect(page.locator("main")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert not Assignment.objects.exists()


def test_every_other_page_says_the_same_and_goes_on(open_old):
    """Everything that the check names, taken away together and one by one."""
    names = listed()
    assert len(names) > 15
    for script in [without(name) for name in names] + ["CSS.supports = style => !style.includes(':has')"]:
        page = open_old("/accounts/sign-in/", script)
        expect(page.locator(NOTICE)).to_be_visible()
        page.context.close()
    page = open_old("/accounts/sign-in/", ";".join(map(without, names)))
    expect(page.locator(NOTICE)).to_be_visible()
    expect(page.get_by_label("User name")).to_be_visible()
    page = open_old("/accounts/sign-in/", "0")
    expect(page.get_by_label("User name")).to_be_visible()
    expect(page.locator(NOTICE)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_there_without_the_newest_styles(chromium, server, transactional_db, scheme):
    """As browsers read the sheets that do not know light-dark(): they drop each declaration that has it."""
    context = chromium.new_context(base_url=server, color_scheme=scheme)
    page = context.new_page()

    def older(route):
        sheet = route.fetch()
        route.fulfill(response=sheet, body=sheet.text().replace("light-dark(", "no-such-function("))

    page.route("**/*.css", older)
    page.goto("/accounts/sign-in/")
    colours = page.evaluate(
        "() => { const { backgroundColor, color } = getComputedStyle(document.documentElement);"
        " return [backgroundColor, color] }"
    )
    context.close()
    assert (
        colours
        == {
            "light": ["rgb(246, 246, 244)", "rgb(27, 29, 32)"],
            "dark": ["rgb(20, 21, 23)", "rgb(231, 232, 234)"],
        }[scheme]
    )
