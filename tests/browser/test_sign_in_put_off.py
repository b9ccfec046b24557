"""Signing in while the server hashes another password: the page tries again automatically with what was typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.hashing import Argon2Hasher
from tests import factories
from tests.browser.nothing_is_lost.conftest import answer_and_submit, end_session, expect_a_pair, sign_in_again, stored
from tests.web import free_port, serve

PASSWORD = "a password of its own"
WAITS = "This page tries again automatically"


@pytest.fixture(scope="module")
def occupied_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("occupied") / "file"


@pytest.fixture(scope="module")
def server(occupied_file: Path, django_db_setup: None, _static_files_are_collected: None) -> Iterator[str]:
    port = free_port()
    running = serve(port, application="tests.accounts.occupied:application", OCCUPIED_FILE=str(occupied_file))
    yield f"http://127.0.0.1:{port}"
    running.stop()


@pytest.fixture
def occupied(occupied_file: Path) -> Iterator[Path]:
    occupied_file.touch()
    yield occupied_file
    occupied_file.unlink(missing_ok=True)


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def annotator(study):
    """Return an annotator whose password is hashed as in production."""
    person = factories.member(study, "annotator")
    person.password = Argon2Hasher().encode(PASSWORD, "saltsaltsalt")
    person.save()
    return person


def fill_in(page, person):
    page.locator("input[name=username]").fill(person.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.long
def test_the_page_tries_again_by_itself_until_it_is_let_in(open_page, annotator, occupied):
    page = open_page("/accounts/sign-in/")
    fill_in(page, annotator)
    expect(page.get_by_role("status")).to_contain_text(WAITS)
    expect(page.locator("input[name=password]")).to_have_value(PASSWORD)
    occupied.unlink()
    page.wait_for_url("**/workspace/")


@pytest.mark.long
def test_a_wrong_password_is_reported_on_the_same_page_and_can_be_corrected(open_page, annotator):
    page = open_page("/accounts/sign-in/?next=/accounts/viewing/")
    page.locator("input[name=username]").fill(annotator.username)
    page.locator("input[name=password]").fill("not it")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("wrong. Check that Caps Lock is off")
    expect(page.locator("input[name=username]")).to_have_value(annotator.username)
    expect(page.locator("input[name=password]")).to_be_focused()
    fill_in(page, annotator)
    page.wait_for_url("**/accounts/viewing/")


@pytest.mark.long
def test_without_scripts_the_page_says_so_and_keeps_the_user_name(open_page, annotator, occupied):
    page = open_page("/accounts/sign-in/", java_script_enabled=False)
    fill_in(page, annotator)
    expect(page.get_by_role("alert")).to_contain_text("your password was not checked yet")
    expect(page.locator("input[name=username]")).to_have_value(annotator.username)
    occupied.unlink()
    fill_in(page, annotator)
    page.wait_for_url("**/workspace/")


@pytest.mark.long
def test_signing_in_again_in_place_waits_too_and_nothing_is_lost(open_page, annotator, study, playable_pairs, occupied):
    playable_pairs(study, 2)
    page = open_page(f"/studies/{study.slug}/workspace/", annotator)
    expect_a_pair(page)
    end_session()
    answer_and_submit(page)
    page.get_by_role("button", name="Sign in again").click()
    sign_in_again(page, annotator)
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("This page tries again automatically")
    occupied.unlink()
    stored(1)
