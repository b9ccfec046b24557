"""What is answered arrives once, whatever happens between: no network, no session, no lease, another tab, another
person, no storage, a server that is killed. Each test ends with what lies in the database."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from playwright.sync_api import expect

from annotation import leases, serving
from annotation.models import Annotation, Assignment, Seat
from tests import factories
from tests.browser.conftest import cookies_of
from tests.web import free_port, serve, wait_for

SUBMIT = '[data-action="submit"]'
STATUS = "[data-status]"
SUB_DIMENSIONS = ("instruction_following", "correctness", "informativeness", "aesthetics")
PASSWORD = "a password of its own"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    """The page of an annotator before whom pairs lie, the next one loaded too."""
    playable_pairs(study, 5)

    def open_it(person=annotator, **options):
        page = open_page(f"/studies/{study.slug}/workspace/", person, **options)
        expect_a_pair(page)
        return page

    return open_it


def expect_a_pair(page):
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.readyState >= 3)")


def shown(page):
    return int(page.locator("body").get_attribute("data-assignment"))


def choose(page, question, side):
    page.locator(f"label:has(#q-{question}-{side})").click()


def answer(page, side="left"):
    """All answers by mouse, the same side everywhere, one tag a video."""
    page.locator('[data-tab="helpfulness"]').click()
    for question in (*SUB_DIMENSIONS, "helpfulness"):
        choose(page, question, side)
    page.locator('[data-tab="harmlessness"]').click()
    page.locator('label:has(input[name="tags-left"][value="violence"])').click()
    page.locator('label:has(input[name="tags-right"][value="crime"])').click()
    choose(page, "harmlessness", side)


def submit(page):
    """Presses Submit; the id of the assignment that was answered."""
    answered = shown(page)
    page.locator(SUBMIT).click()
    expect(page.locator(f'body[data-assignment="{answered}"]')).to_have_count(0)
    return answered


def answer_and_submit(page, side="left"):
    answer(page, side)
    return submit(page)


def panel(page, reason):
    return page.locator(f'[data-empty][data-reason="{reason}"]')


def stored(count):
    """The annotations once there are so many, in the order in which they were made."""
    wait_for(lambda: Annotation.objects.count() >= count, f"{count} answers did not arrive")
    found = list(Annotation.objects.order_by("pk"))
    assert len(found) == count
    assert len({annotation.submission_id for annotation in found}) == count
    return found


def kept(page, person, store):
    """What lies in a person's database in the browser."""
    return page.evaluate(
        """([person, store]) => new Promise((resolve, reject) => {
             const opening = indexedDB.open(`diptych-${person}`);
             opening.onerror = () => reject(opening.error);
             opening.onsuccess = () => {
               const found = opening.result.transaction(store).objectStore(store).getAll();
               found.onsuccess = () => { opening.result.close(); resolve(found.result); };
             };
           })""",
        [str(person.pk), store],
    )


def end_session():
    """What an expired session comes to: its row and its copy in the cache are gone."""
    Session.objects.all().delete()
    cache.clear()


def sign_in_again(page, person):
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("User name")).to_have_value(person.username)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in", exact=True).click()


# --- The network -----------------------------------------------------------------------------------------


def test_two_pairs_are_finished_without_a_network_and_arrive_in_order_when_it_is_back(workspace, annotator):
    page = workspace()
    page.context.set_offline(True)
    first = answer_and_submit(page, "left")
    expect(page.locator("body[data-assignment]")).to_be_visible()
    second = answer_and_submit(page, "right")
    assert first != second
    expect(panel(page, "offline")).to_be_visible()
    expect(page.locator('[data-when="offline"] [data-waiting]')).to_have_text("2")
    assert [entry["assignment"] for entry in kept(page, annotator, "submissions")] == [first, second]
    assert Annotation.objects.count() == 0
    page.context.set_offline(False)
    expect_a_pair(page)
    assert [annotation.assignment_id for annotation in stored(2)] == [first, second]
    expect(page.locator("[data-pair-number]")).to_have_text("pair 3")
    assert kept(page, annotator, "submissions") == []


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


def test_an_answer_that_is_refused_comes_back_with_the_reason(workspace, study):
    page = workspace()
    type(study).objects.filter(pk=study.pk).update(require_seen_through=True)
    answered = answer_and_submit(page)
    expect(page.locator(STATUS)).to_contain_text("not accepted")
    expect(page.locator(f'body[data-assignment="{answered}"]')).to_be_visible()
    expect(page.locator("#q-correctness-left")).to_be_checked()
    assert Annotation.objects.count() == 0


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
            Seat.objects.select_for_update().get(person=annotator)  # the submission stops in the middle
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


def test_a_second_look_is_waited_for_but_never_without_a_network(workspace, study):
    type(study).objects.filter(pk=study.pk).update(second_look=True)
    page = workspace()
    page.context.set_offline(True)
    answer_and_submit(page)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.context.set_offline(False)
    stored(1)


# --- The lease and the addresses -------------------------------------------------------------------------


def expire_leases():
    """An hour passes, and the sweep comes."""
    past = timezone.now() - timedelta(hours=1)
    Assignment.objects.update(leased_at=past, shown_at=None, expires_at=past + timedelta(minutes=30))
    leases.return_expired()


def test_an_expired_lease_costs_nothing_while_its_pair_is_free(workspace):
    page = workspace()
    answer(page)
    expire_leases()
    answered = submit(page)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered
    assert annotation.standing.counted
    expect_a_pair(page)
    answer_and_submit(page)
    assert all(annotation.standing.counted for annotation in stored(2))


def test_an_answer_to_a_pair_that_somebody_else_has_by_now_is_kept_beside(workspace, study):
    page = workspace()
    answer(page)
    expire_leases()
    mine = Assignment.objects.get(pk=shown(page))
    assert serving.lease(factories.member(study, "annotator"), study).current.pair_id == mine.pair_id
    submit(page)
    [annotation] = stored(1)
    assert not annotation.standing.counted
    expect(page.locator(STATUS)).to_contain_text("somebody else was sooner", ignore_case=True)


def test_an_expired_media_address_is_renewed_in_place(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 3)
    page = open_page("/", annotator)
    expired = []

    def gone_once(route):
        if len(expired) < 1:
            expired.append(route.request.url)
            route.fulfill(status=410)
        else:
            route.continue_()

    page.route(re.compile(r"/media/.*\.mp4"), gone_once)
    page.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(page)
    assert len(expired) == 1
    answer_and_submit(page)
    stored(1)


# --- The session -----------------------------------------------------------------------------------------


def test_an_expired_session_is_renewed_in_place_and_the_queue_goes_on(workspace, annotator):
    page = workspace()
    end_session()
    answered = answer_and_submit(page)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.get_by_role("button", name="Sign in again").click()
    sign_in_again(page, annotator)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered
    assert annotation.author_id == annotator.pk
    expect(page.get_by_role("dialog")).to_have_count(0)
    answer_and_submit(page)
    stored(2)


def test_a_wrong_password_says_so_and_a_lost_csrf_cookie_does_not_matter(workspace, annotator):
    page = workspace()
    end_session()
    page.context.clear_cookies()
    answer_and_submit(page)
    page.get_by_role("button", name="Sign in again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill("not the password")
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("correct")
    sign_in_again(page, annotator)
    stored(1)


def test_nothing_is_sent_under_another_sign_in_and_all_of_it_when_its_person_is_back(
    workspace, study, annotator, server
):
    page = workspace()
    other = factories.member(study, "annotator")
    choose(page, "correctness", "right")
    expect(page.locator(STATUS)).to_contain_text("aved")
    page.context.add_cookies(cookies_of(other, server))
    answered = answer_and_submit(page)
    expect(panel(page, "somebody_else")).to_be_visible()
    expect(panel(page, "somebody_else")).to_contain_text(other.username)
    assert Annotation.objects.count() == 0
    assert not Assignment.objects.filter(person=other).exists()
    page.get_by_role("button", name=f"Sign in as {annotator.username}").click()
    sign_in_again(page, annotator)
    [annotation] = stored(1)
    assert (annotation.assignment_id, annotation.author_id) == (answered, annotator.pk)
    expect_a_pair(page)


def test_a_page_hears_at_once_that_somebody_else_signed_in_beside_it(workspace, study, annotator, server):
    page = workspace()
    other = factories.member(study, "annotator")
    page.context.add_cookies(cookies_of(other, server))
    page.context.new_page().goto("/accounts/password/")
    expect(panel(page, "somebody_else")).to_be_visible()
    expect(page.locator("video[data-active]").first).not_to_be_visible()


# --- Tabs ------------------------------------------------------------------------------------------------


def test_the_newer_tab_works_and_the_older_takes_it_back(workspace, study):
    old = workspace()
    choose(old, "correctness", "right")
    new = old.context.new_page()
    new.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(new)
    expect(panel(old, "taken_over")).to_be_visible()
    expect(new.locator("#q-correctness-right")).to_be_checked()
    choose(new, "aesthetics", "left")
    old.get_by_role("button", name="Work here").click()
    expect_a_pair(old)
    expect(panel(new, "taken_over")).to_be_visible()
    expect(old.locator("#q-correctness-right")).to_be_checked()
    expect(old.locator("#q-aesthetics-left")).to_be_checked()
    answer_and_submit(old)
    stored(1)


def test_time_goes_on_in_another_tab_and_is_counted_once(workspace, study):
    old = workspace()
    answer(old)
    began = old.evaluate("performance.now()")
    new = old.context.new_page()
    new.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(new)
    new.mouse.move(300, 300)
    submit(new)
    [annotation] = stored(1)
    lived = began + new.evaluate("performance.now()")
    assert 0 < annotation.timings_ms["total_active"] <= lived
    parts = {stage: ms for stage, ms in annotation.timings_ms.items() if stage != "total_active"}
    assert sum(parts.values()) == pytest.approx(annotation.timings_ms["total_active"], abs=len(parts))


# --- The browser itself ----------------------------------------------------------------------------------


def test_without_storage_the_page_works_from_memory_and_says_so(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 3)
    page = open_page("/", annotator)
    page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }")
    page.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(page)
    expect(page.locator(STATUS)).to_contain_text("keeps nothing")
    page.context.set_offline(True)
    answered = answer_and_submit(page)
    page.context.set_offline(False)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered


@pytest.mark.long
def test_a_full_disk_is_told_and_loses_nothing(workspace):
    page = workspace()
    page.evaluate(
        """() => { IDBObjectStore.prototype.put = IDBObjectStore.prototype.add = () => {
             throw new DOMException('full', 'QuotaExceededError'); }; }"""
    )
    answer_and_submit(page)
    expect(page.locator(STATUS)).to_contain_text("keeps nothing")
    stored(1)
    answer_and_submit(page)
    stored(2)


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_wrong_clock_is_told_and_changes_nothing(open_page, study, annotator, playable_pairs, hours):
    playable_pairs(study, 3)
    page = open_page("/", annotator)
    page.add_init_script(f"const right = Date.now; Date.now = () => right() + {hours} * 3600_000")
    page.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(page)
    expect(page.locator(STATUS)).to_contain_text("clock is off by 30 hr")
    answer_and_submit(page)
    [annotation] = stored(1)
    assert annotation.standing.counted
    assert Assignment.objects.filter(state="leased").count() == 2


def test_no_video_is_stored_in_the_browser(workspace, annotator):
    page = workspace()
    answer(page)
    page.context.set_offline(True)
    submit(page)
    everything = kept(page, annotator, "drafts") + kept(page, annotator, "submissions")
    assert len(str(everything)) < 10_000
    assert page.evaluate("caches.keys()") == []


# --- Signing out -----------------------------------------------------------------------------------------


def sign_out(page):
    page.locator("[data-menu] > summary").click()
    page.locator('[data-action="sign-out"]').click()


def test_signing_out_sends_what_waits_and_leaves_nothing_behind(workspace, annotator):
    page = workspace()
    choose(page, "correctness", "right")
    sign_out(page)
    page.wait_for_url("**/sign-in/")
    assert kept(page, annotator, "drafts") == kept(page, annotator, "submissions") == []
    assert Assignment.objects.exclude(draft=None).get().draft["helpfulness"]["correctness"].startswith("video_")


@pytest.mark.parametrize("page_address", ["workspace", "password"])
def test_signing_out_with_something_unsent_warns_with_the_count(workspace, annotator, page_address):
    page = workspace()
    page.context.route("**/api/v1/**", lambda route: route.abort())
    answer_and_submit(page)
    if page_address == "password":
        page.goto("/accounts/password/")
    sign_out(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-unsent]")).to_have_text("1")
    dialog.get_by_role("button", name="Send, then sign out").click()
    expect(dialog.get_by_role("alert")).to_be_visible(timeout=15_000)
    assert len(kept(page, annotator, "submissions")) == 1
    page.context.unroute("**/api/v1/**")
    dialog.get_by_role("button", name="Send, then sign out").click()
    page.wait_for_url("**/sign-in/")
    stored(1)
    assert kept(page, annotator, "submissions") == []


def test_signing_out_anyway_removes_what_was_not_sent(workspace, annotator):
    page = workspace()
    page.context.route("**/api/v1/**", lambda route: route.abort())
    answer_and_submit(page)
    sign_out(page)
    page.get_by_role("dialog").get_by_role("button", name="Sign out anyway").click()
    page.wait_for_url("**/sign-in/")
    assert kept(page, annotator, "drafts") == kept(page, annotator, "submissions") == []
    assert Annotation.objects.count() == 0


def test_signing_out_without_a_connection_removes_nothing(workspace, annotator):
    page = workspace()
    page.context.set_offline(True)
    answer_and_submit(page)
    sign_out(page)
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Sign out anyway").click()
    expect(dialog.get_by_role("alert")).to_contain_text("still signed in")
    dialog.get_by_role("button", name="Stay signed in").click()
    page.context.set_offline(False)
    stored(1)


def test_a_workspace_beside_it_stops_when_its_person_signs_out(workspace, annotator):
    page = workspace()
    beside = page.context.new_page()
    beside.goto("/accounts/password/")
    sign_out(beside)
    beside.wait_for_url("**/sign-in/")
    expect(panel(page, "signed_out")).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    sign_in_again(page, annotator)
    expect_a_pair(page)


# --- What is said ----------------------------------------------------------------------------------------


def test_a_saved_answer_is_announced_once_and_drafts_are_not(workspace):
    page = workspace()
    page.evaluate(
        """() => {
             window.said = [];
             const announcer = document.querySelector('[role=status][data-announce]');
             new MutationObserver(() => said.push(announcer.textContent)).observe(announcer, { childList: true });
           }"""
    )
    answer(page)
    expect(page.locator(STATUS)).to_contain_text("aved")
    assert page.evaluate("said") == []
    submit(page)
    stored(1)
    expect(page.locator(STATUS)).to_contain_text("Answer saved")
    assert page.evaluate("said") == ["Answer saved ✓"]


def test_the_help_sheet_says_how_long_the_person_has_worked(workspace):
    page = workspace()
    answer(page)
    page.locator('[data-action="help"]').click()
    sheet = page.get_by_role("dialog")
    expect(sheet.locator("[data-active-today-time]")).to_have_text(re.compile(r"\d+ min"))
    expect(sheet.locator('[data-active-part="helpfulness_stage1"]')).to_have_text(re.compile(r"\d+ sec"))
