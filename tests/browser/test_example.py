"""The example of the demo, from an empty folder: lots, releases and models come, and accepting lot 3 starts the loop.

The training worker and the command that fills the study are killed on the way. The pictures are in docs/screenshots.
"""

import threading
import time

import psutil
import pytest
from playwright.sync_api import expect

from diptych.embedded.state import REPOSITORY
from tests.faults.test_demo import FIRST_START_S, Demo

pytestmark = pytest.mark.long

PICTURES = REPOSITORY / "docs" / "screenshots" / "example"
#: Far more than on an idle machine, where it takes minutes.
FILLED_WITHIN_S, LOOP_WITHIN_S = 2400, 900
STEPS = "[data-steps] li"


@pytest.fixture
def demo(tmp_path):
    made = Demo(tmp_path / "home", with_example=True)
    made.start(FIRST_START_S)
    reader = threading.Thread(target=lambda: [None for _line in made.process.stdout], daemon=True)
    reader.start()
    yield made
    made.process.terminate()
    made.process.wait(60)


@pytest.fixture
def page(chromium, demo):
    """A page of the demo's researcher, on the steps of the example."""
    person = next(one for one in demo.facts()["people"] if one["role"] == "researcher")
    made = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    made.goto(f"{demo.facts()['url']}/accounts/sign-in/")
    made.get_by_label("Username").fill(person["username"])
    made.get_by_label("Password").fill(person["password"])
    made.keyboard.press("Enter")
    made.wait_for_url(lambda url: "sign-in" not in url)  # to the list of studies, or to the only study
    yield made
    made.context.close()


def picture(page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def kill(command, folder):
    """Kill a program of this demo with SIGKILL, once it is there."""
    for one in psutil.process_iter(["cmdline", "environ"]):
        about = one.info
        if command in (about["cmdline"] or []) and (about["environ"] or {}).get("DIPTYCH_HOME") == str(folder):
            one.kill()
            return
    pytest.fail(f"{command} does not run")


def wait_for_step(page, name, within_s):
    step = page.locator(f'{STEPS}[data-state="done"], {STEPS}[data-state="yours"]').filter(has_text=name)
    expect(step.first).to_be_visible(timeout=1000 * within_s)


def test_a_newcomer_sees_the_loop_and_starts_it(demo, page):
    url = demo.facts()["url"]
    page.goto(f"{url}/studies/example/example/", wait_until="domcontentloaded")
    deadline = time.monotonic() + 120
    while page.locator(STEPS).count() == 0:  # the study is made after the sign-ins are shown
        assert time.monotonic() < deadline
        time.sleep(1)
        page.goto(f"{url}/studies/example/example/")
    wait_for_step(page, "Release 1", FILLED_WITHIN_S)
    picture(page, "1-being-filled")
    kill("make_example_study", demo.home)
    wait_for_step(page, "Lot 2 is accepted", FILLED_WITHIN_S)
    wait_for_step(page, "Release 2", FILLED_WITHIN_S)
    kill("training.worker", demo.home)
    wait_for_step(page, "Accept lot 3", FILLED_WITHIN_S)
    picture(page, "2-your-turn")

    page.get_by_role("link", name="Lot 1 is accepted").click()
    picture(page, "3-accepted-lot")
    page.go_back()
    page.get_by_role("link", name="Release 2", exact=True).click()
    expect(page.get_by_text("Simulated study.")).to_be_visible()
    picture(page, "4-release")
    page.go_back()
    page.get_by_role("link", name="Models trained on release 2").click()
    expect(page.get_by_text("points above chance")).to_be_visible()
    picture(page, "5-promoted-version")
    page.go_back()
    page.get_by_role("link", name="New videos are scored").first.click()
    expect(page.get_by_text("score_helpfulness").first).to_be_visible()
    expect(page.locator("video[data-active]")).to_have_count(2)
    picture(page, "6-scored-pair")
    page.go_back()

    page.get_by_role("link", name="Accept lot 3").click()
    page.get_by_role("link", name="Decide").click()
    page.get_by_label("Accept the lot").check()
    page.get_by_label("Reason", exact=True).fill("As the plan says.")
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("link", name="Example", exact=True).click()
    waiting = page.locator(f'{STEPS}:not([data-state="done"])')
    expect(waiting).to_have_count(0, timeout=1000 * LOOP_WITHIN_S)
    picture(page, "7-loop-closed")
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_text("More helpful, Safer").first).to_be_visible()
    picture(page, "8-models")
