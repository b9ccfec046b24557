"""`python -m tests.browser.screenshots [FOLDER]`: take pictures of every page of a fresh demo, wide and narrow."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, find

ROOT = Path(__file__).resolve().parents[2]
WIDE, NARROW = {"width": 1280, "height": 720}, {"width": 420, "height": 800}


@contextmanager
def demo() -> Iterator[dict]:
    """Run a demo in a temporary folder. Yield its address and sign-ins."""
    with tempfile.TemporaryDirectory(prefix="diptych-screenshots-") as scratch:
        Path(scratch).chmod(0o711)  # the database may run as another user, who must be able to reach its data
        home = Path(scratch) / "home"
        environment = os.environ | {"DIPTYCH_HOME": str(home), "PORT": "8642"}
        command = [sys.executable, "-u", "-m", "diptych.demo"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            try:
                for line in process.stdout or ():
                    print(line, end="", flush=True)
                    if "Ready after" in line:
                        break
                yield json.loads((home / "demo.json").read_text())
            finally:
                process.terminate()
        subprocess.run([*command, "--reset", "--yes"], env=environment, check=False, cwd=ROOT)


class Photographer:
    """Signs people in and takes pictures of their pages."""

    def __init__(self, browser: Browser, facts: dict, folder: Path) -> None:
        self.browser, self.facts, self.folder = browser, facts, folder

    def sign_in(self, username: str | None, **options: object) -> Page:
        page = self.browser.new_context(base_url=self.facts["url"], viewport=WIDE, **options).new_page()
        page.goto("/")
        if username:
            person = next(person for person in self.facts["people"] if person["username"] == username)
            page.locator("[name=username]").fill(username)
            page.locator("[name=password]").fill(person["password"])
            page.locator("[name=password]").press("Enter")
            page.wait_for_load_state("networkidle")
            self.agree(page)
        return page

    def agree(self, page: Page) -> None:
        """Agree, as an annotator, to all that the study may show, if the page asks."""
        if page.url.endswith("/consent/"):
            chinese = page.locator("html").get_attribute("lang") == "zh-Hans"
            self.take(page, "consent-chinese" if chinese else "consent")
            page.locator('[data-tick="all"]').click()
            page.locator("form:has([data-boxes]) > .actions .primary").click()
            page.wait_for_load_state("networkidle")

    def begin(self, page: Page) -> None:
        """Close the welcome, as an annotator does before their very first pair."""
        expect(page.locator("video[data-active]")).to_have_count(2)
        page.locator('[data-action="begin"]').click()

    def take(self, page: Page, name: str) -> None:
        for size, viewport in (("", WIDE), ("-narrow", NARROW)):
            page.set_viewport_size(viewport)
            page.wait_for_timeout(300)
            page.screenshot(path=self.folder / f"{name}{size}.png")
        page.set_viewport_size(WIDE)

    def workspace(self) -> None:
        """Take pictures of both dimensions half-way through, and of the guideline."""
        page = self.sign_in("annotator")
        self.begin(page)
        page.locator('[data-tab="helpfulness"]').click()
        page.locator('[data-action="play"]').click()
        for answer in ("instruction_following-left", "correctness-left", "informativeness-left"):
            page.locator(f"label:has(#q-{answer})").click()
        page.wait_for_timeout(900)
        page.locator('[data-action="play"]').click()
        self.take(page, "workspace")
        page.locator('[data-tab="harmlessness"]').click()
        page.locator('label:has(input[name="tags-left"][value="other_harmful"])').click()
        self.take(page, "workspace-harmlessness")
        page.locator('[data-action="guideline"]').click()
        self.take(page, "workspace-guideline")

    def everything(self) -> None:
        self.take(self.sign_in(None), "sign-in")
        self.workspace()
        researcher = self.sign_in("researcher")
        self.take(researcher, "dashboard")
        self.take(self.sign_in("researcher", color_scheme="dark"), "dashboard-dark")
        researcher.goto("/accounts/password/")
        self.take(researcher, "password")
        researcher.goto("/?all=1")
        self.take(researcher, "home")
        researcher.goto("/nowhere")
        self.take(researcher, "not-found")
        chinese = self.sign_in("annotator2", locale="zh-CN")
        self.begin(chinese)
        self.take(chinese, "workspace-chinese")


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find()
    with demo() as facts, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        Photographer(browser, facts, folder).everything()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
