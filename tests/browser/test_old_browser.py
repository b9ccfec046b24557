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
    """Return a script that removes a function, as it is missing in an older browser."""
    holder, _, last = f"window.{name}".rpartition(".")
    return f"delete {holder}['{last}']"


@pytest.fixture
def open_old(chromium, server, transactional_db):
    """Open a page in a browser that lacks something. Errors of its scripts are expected."""
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


CHECK = (settings.BASE_DIR / "static/js/page/browser_check.js").read_text()
#: The functions without which the pages say that the browser is too old.
NAMES = re.findall(r'"([\w.]+)"', CHECK[CHECK.index("NAMES = [") : CHECK.index("];")])
#: Runs the check in a frame, which has functions of its own, after the script that removes one.
IN_A_FRAME = """([script, check]) => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.contentWindow.eval(script);
    frame.contentWindow.eval(check);
    return frame.contentDocument.documentElement.dataset.browser ?? "";
}"""


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.parametrize(
    "missing",
    ["Array.prototype.toSorted", "HTMLElement.prototype.inert", "matchMedia", "Intl.NumberFormat"],
    ids=["a listed function", "a listed property", "what a module needs as it begins", "the same of another module"],
)
def test_a_browser_that_is_too_old_says_so_and_leases_no_pair(open_old, study, annotator, playable_pairs, missing):
    playable_pairs(study, 2)
    page = open_old(f"/studies/{study.slug}/workspace/", without(missing), annotator)
    notice = page.locator(NOTICE)
    expect(notice).to_be_visible()
    expect(notice.locator('[lang="en"]')).to_contain_text("This browser is too old")
    expect(notice.locator('[lang="zh-Hans"]')).to_contain_text("浏览器")
    expect(page.locator("main")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert not Assignment.objects.exists()


@pytest.mark.long
def test_the_check_finds_each_thing_that_it_names(open_old):
    page = open_old("about:blank", "0")
    assert page.evaluate(IN_A_FRAME, ["0", CHECK]) == ""
    assert page.evaluate(IN_A_FRAME, ["CSS.supports = style => !style.includes(':has')", CHECK]) == "too-old"
    assert len(NAMES) > 15
    assert [name for name in NAMES if page.evaluate(IN_A_FRAME, [without(name), CHECK]) != "too-old"] == []


@pytest.mark.long
def test_every_other_page_says_the_same_and_can_be_used(open_old, annotator):
    page = open_old("/accounts/sign-in/", ";".join(map(without, set(NAMES) - {"fetch", "FormData", "URLSearchParams"})))
    expect(page.locator(NOTICE)).to_be_visible()
    page.get_by_label("Username").fill(annotator.username)
    page.get_by_label("Password").fill("a password of its own")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/workspace/")
    page.goto("/?all=1")
    expect(page.get_by_role("heading", name="Your studies")).to_be_visible()
    expect(page.locator(NOTICE)).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.long)])
def test_colours_are_there_without_the_newest_styles(chromium, server, transactional_db, scheme):
    """Browsers without light-dark() drop each declaration that has it."""
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
