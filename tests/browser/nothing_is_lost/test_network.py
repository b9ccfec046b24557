"""No network, a slow one, or a killed server: an answer arrives once.

Each test ends with a look at what is stored.
"""

import pytest
from django.db import connection, transaction
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment, Seat
from tests.browser.conftest import cookies_of
from tests.browser.nothing_is_lost.conftest import (
    STATUS,
    answer,
    answer_and_submit,
    expect_a_pair,
    kept,
    panel,
    shown,
    stored,
    submit,
)
from tests.web import free_port, serve, wait_for


def test_two_pairs_are_finished_without_a_network_and_arrive_in_order_when_it_is_back(workspace, annotator):
    page = workspace()
    page.context.set_offline(True)
    first = answer_and_submit(page, "left")
    expect(page.locator("body[data-assignment]")).to_be_visible()
    second = answer_and_submit(page, "right")
    assert first != second
    expect(panel(page, "offline")).to_be_visible()
    expect(page.locator('[data-when="offline"] [data-waiting]')).to_have_text("2")
    expect(page.locator('[data-cause="unreachable"]')).to_be_hidden()  # the panel says the same
    expect(page.locator('[data-action="report-illegal"]')).to_be_hidden()  # there is no pair to report
    assert [entry["assignment"] for entry in kept(page, annotator, "submissions")] == [first, second]
    assert Annotation.objects.count() == 0
    page.context.set_offline(False)
    expect_a_pair(page)
    assert [annotation.assignment_id for annotation in stored(2)] == [first, second]
    expect(page.locator("[data-pair-number]")).to_have_text("pair 3")
    assert kept(page, annotator, "submissions") == []


@pytest.mark.long
def test_what_waits_survives_the_end_of_the_page(workspace, study, annotator):
    page = workspace()
    page.route("**/api/v1/**", lambda route: route.abort())
    answered = answer_and_submit(page)
    page.close()
    again = page.context.new_page()
    again.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(again)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered
    expect(again.locator("[data-pair-number]")).to_have_text("pair 2")


@pytest.mark.long
def test_what_the_server_got_while_the_page_was_opened_anew_is_counted_once(workspace, study):
    page = workspace()
    page.route("**/api/v1/**", lambda route: route.abort())
    answer_and_submit(page)
    page.close()
    again = page.context.new_page()

    def arrives_twice(route):
        route.fetch()
        route.continue_()

    again.route("**/submit/", arrives_twice)
    again.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(again)
    stored(1)
    expect(again.locator("[data-pair-number]")).to_have_text("pair 2")


@pytest.mark.long
def test_the_next_pair_is_shown_before_the_server_has_answered(workspace):
    page = workspace()
    held = []
    page.route("**/submit/", lambda route: held.append(route))
    answer(page)
    with page.expect_request("**/submit/"):
        answered = submit(page)
    expect(page.locator("video[data-active]").first).to_be_visible()
    assert shown(page) != answered
    assert Annotation.objects.count() == 0
    held[0].continue_()
    following = shown(page)
    [annotation] = stored(1)
    expect(page.locator(STATUS)).to_contain_text("Answer saved")
    assert (annotation.assignment_id, shown(page)) == (answered, following)


@pytest.mark.long
def test_an_answer_that_is_refused_comes_back_with_the_reason(workspace, study):
    page = workspace()
    type(study).objects.filter(pk=study.pk).update(require_seen_through=True)
    answered = answer_and_submit(page)
    expect(page.locator(STATUS)).to_contain_text("not accepted")
    expect(page.locator(f'body[data-assignment="{answered}"]')).to_be_visible()
    expect(page.locator("#q-correctness-left")).to_be_checked()
    assert Annotation.objects.count() == 0


@pytest.mark.long
def test_an_empty_response_that_is_not_from_the_server_does_not_end_an_answer(workspace):
    """Networks with a sign-in page of their own, and some proxies, respond with 200 or 204 to everything."""
    page = workspace()
    page.route("**/submit/", lambda route: route.fulfill(status=204), times=1)
    answered = answer_and_submit(page)
    # Before `stored`, during which Playwright can do nothing
    expect(page.locator(STATUS)).to_contain_text("Answer saved")
    [annotation] = stored(1)
    assert annotation.assignment_id == answered


@pytest.mark.long
def test_a_server_that_is_killed_during_a_submission_stores_it_once(chromium, study, annotator, playable_pairs):
    playable_pairs(study, 3)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    running = serve(port, grace=0)
    context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 720}, locale="en")
    try:
        context.add_cookies(cookies_of(annotator, address))
        context.add_init_script(f"localStorage.setItem('diptych:{annotator.pk}:welcomed', 'true')")
        page = context.new_page()
        page.goto(f"/studies/{study.slug}/workspace/")
        expect_a_pair(page)
        answer(page)
        with transaction.atomic():
            Seat.objects.select_for_update().get(person=annotator)  # the submission stops halfway
            answered = submit(page)
            wait_for(somebody_waits_for_a_lock, "no submission reached the database")
            running.stop()
        running = serve(port, grace=0)
        [annotation] = stored(1)
        assert annotation.assignment_id == answered
        expect(page.locator(STATUS)).to_contain_text("Answer saved")
    finally:
        context.close()
        running.stop()


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return cursor.fetchone()[0]


@pytest.mark.long
def test_a_pair_is_skipped_without_a_network_and_stays_skipped(workspace):
    page = workspace()
    page.context.set_offline(True)
    skipped = shown(page)
    page.locator('[data-action="skip"]').click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Too distressing").check()
    dialog.get_by_role("button", name="Skip").click()
    expect(page.locator(f'body[data-assignment="{skipped}"]')).to_have_count(0)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.context.set_offline(False)
    wait_for(lambda: Assignment.objects.filter(pk=skipped, state="skipped").exists(), "the skip did not arrive")
    answer_and_submit(page)
    stored(1)


@pytest.mark.long
def test_where_web_locks_are_missing_answers_still_arrive_once(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 4)
    page = open_page("/", annotator)
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })")
    page.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(page)
    page.context.set_offline(True)
    answer_and_submit(page)
    answer_and_submit(page)
    page.context.set_offline(False)
    stored(2)


@pytest.mark.long
def test_a_second_look_is_waited_for_but_never_without_a_network(workspace, study):
    type(study).objects.filter(pk=study.pk).update(second_look=True)
    page = workspace()
    page.context.set_offline(True)
    answer_and_submit(page)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.context.set_offline(False)
    stored(1)
