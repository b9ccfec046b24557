"""Who may do what: role × endpoint × own, other or foreign study → allowed, forbidden or hidden.

The endpoints come from the URL configuration, so a new one without a row here fails.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.urls import get_resolver

from accounts.tokens import SCOPES, issue_token
from studies.models.memberships import Role
from tests.permission_rows import ALLOWED, FORBIDDEN, HIDDEN, MATRIX, PEOPLE, SIGN_IN
from tests.request_bodies import BODIES
from tests.world import OF_A_PERSON, World, built, endpoints, worlds

__all__ = ["built", "worlds"]

pytestmark = pytest.mark.django_db


def test_every_endpoint_has_a_row():
    assert {name for name, _ in endpoints(get_resolver())} == set(MATRIX)


def outcome(response: Any) -> str:
    """Return what a response means to the person who sent the request."""
    if response.status_code == 401 or (response.status_code == 302 and "sign-in/?next=" in response.url):
        return SIGN_IN
    refused = {403: FORBIDDEN, 404: HIDDEN}.get(response.status_code)
    is_true = (
        says_no_worker_runs(response)
        or says_that_a_trial_keeps_nothing(response)
        or says_nothing_is_removed(response)
        or says_an_import_has_not_ended(response)
        or says_a_version_was_compared(response)
    )
    assert refused or response.status_code < 400 or is_true, response.content[:300]
    return refused or ALLOWED


def says_no_worker_runs(response: Any) -> bool:
    """Return whether the health check of workers says what is true in these tests: that no worker runs."""
    return response.status_code == 503 and b'"last_sweep_age_s"' in response.content


def says_that_a_trial_keeps_nothing(response: Any) -> bool:
    """Return whether the response says that no answer of a trial can be opened again."""
    return response.status_code == 409 and response.json()["code"] == "trial"


def says_an_import_has_not_ended(response: Any) -> bool:
    """Return whether the response says that an import cannot be started again yet."""
    return response.status_code == 409 and response.json()["code"] == "not_yet"


def says_a_version_was_compared(response: Any) -> bool:
    """Return whether the response says that a version was compared, so that it cannot be compared again."""
    return response.status_code == 409 and response.json()["code"] == "not_repeatable"


def says_nothing_is_removed(response: Any) -> bool:
    """Return whether the response says why nothing is removed: the import added nothing, or its pairs were assigned."""
    return response.status_code == 409 and (
        b'"not_removed"' in response.content or b"nothing to undo" in response.content
    )


def outcomes(api: Any, world: World, name: str, people: Iterable[str]) -> dict[str, str]:
    """Return what the request to an endpoint means to each of these people."""
    method, form = MATRIX[name][0], "json" if name.startswith("api:") else None
    found, address = {}, ""
    with transaction.atomic():  # what the address leads to is made once
        for who in people:
            person, body, client = world.people[who], BODIES.get(name, dict)(), api(None)
            if person:
                client.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[who]
            if not address or name in OF_A_PERSON:
                address = world.address(name, person)
            with transaction.atomic():
                response = getattr(client, method)(address, body, format=form)
                found[who] = outcome(response)
                if found[who] == HIDDEN and world.study.slug not in address:
                    assert world.study.slug.encode() not in response.content, "a foreign study is named"
                transaction.set_rollback(True)  # the next request finds the same database
        transaction.set_rollback(True)
    return found


def who_may(name: str) -> list[str]:
    return [who for who in PEOPLE if MATRIX[name][1][who] == ALLOWED]


def asked_daily(name: str) -> list[str]:
    """Return one person who may, and every second one of those who may not. Which ones depends on the name."""
    may = who_may(name)
    may_not = [who for who in PEOPLE if who not in may]
    return [*may[:1], *may_not[len(name) % 2 :: 2]]


@pytest.mark.parametrize("name", MATRIX)
def test_who_may_is_let_in_and_who_may_not_is_refused(api, worlds, name):
    asked = asked_daily(name)
    assert outcomes(api, worlds.of(name), name, asked) == {who: MATRIX[name][1][who] for who in asked}


@pytest.mark.long
@pytest.mark.parametrize("name", MATRIX)
def test_so_is_everybody_else(api, worlds, name):
    asked = set(PEOPLE) - set(asked_daily(name))
    assert outcomes(api, worlds.of(name), name, asked) == {who: MATRIX[name][1][who] for who in asked}


#: The scope that a token needs, where one is enough.
SCOPE = {
    "api:runs": "export",
    "api:run": "export",
    "api:run_cancel": "manage",
    "api:run_again": "manage",
    "api:run_claim": "train",
    "api:run_beat": "train",
    "api:run_report": "train",
    "api:run_finish": "train",
    "api:run_fail": "train",
    "api:run_put_back": "train",
    "api:run_file": "export",
    "api:run_items": "train",
    **dict.fromkeys(("api:models", "api:model"), "export"),
    **dict.fromkeys(("api:model_promote", "api:model_take_back", "api:model_withdraw", "api:model_score"), "manage"),
    "api:model_compare_again": "manage",
    "api:model_scores": "export",
    **dict.fromkeys(("api:training_rules", "api:training_rule"), "export"),
    "api:releases": "export",
    "api:release_detail": "export",
    "api:release_cancel": "manage",
    "api:release_file": "export",
    "api:release_comparison": "export",
    "api:automatic_releases": "export",
    "api:withdrawals": "export",
    **dict.fromkeys(("api:webhooks", "api:webhook", "api:webhook_secret", "api:webhook_old_secrets"), "manage"),
    **dict.fromkeys(("api:webhook_test", "api:webhook_deliveries", "api:webhook_send_again"), "manage"),
    "api:suspensions": "manage",
    "api:suspension_preview": "read",
    "api:suspension": "read",
    "api:suspension_lift": "manage",
    "api:pauses": "read",
    "api:pause_end": "manage",
    "api:lots": "manage",
    "api:lot_start": "manage",
    "api:lot_draw": "manage",
    "api:lot_quality": "read",
    "api:reviewers": "read",
    "api:lot_decision": "manage",
    "api:lease_review": "review",
    "api:review_answer": "review",
    "api:review_submit": "review",
    "api:review_skip": "review",
    "api:review_undo": "review",
    "api:review_renew": "review",
    "api:review_care": "review",
    "api:review_release": "review",
    "api:review_report": "review",
    "api:qualification": "read",
    "api:qualification_begin": "annotate",
    "api:qualification_next": "annotate",
    "api:qualifying_answer": "annotate",
    "api:qualifying_go_on": "annotate",
    "api:qualifying_skip": "annotate",
    "api:qualifying_renew": "annotate",
    "api:qualifying_care": "annotate",
    "api:qualifying_report": "annotate",
    "api:qualification_sets": "manage",
    "api:qualification_set": "manage",
    "api:qualification_publish": "manage",
    "api:qualification_people": "manage",
    "api:qualification_decide": "manage",
    "api:qualification_questions": "manage",
    "api:calibrations": "read",
    "api:calibration": "read",
    "api:calibration_next": "review",
    "api:turn_answer": "review",
    "api:turn_skip": "review",
    "api:turn_renew": "review",
    "api:turn_care": "review",
    "api:turn_report": "review",
    "api:quality": "read",
    "api:assign_reviews": "manage",
    "api:studies": "read",
    "api:study": "read",
    "api:lease": "annotate",
    "api:guideline": "read",
    "api:guideline_changes": "annotate",
    "api:guideline_read": "annotate",
    "api:submit": "annotate",
    "api:draft": "annotate",
    "api:skip": "annotate",
    "api:renew": "annotate",
    "api:care": "annotate",
    "api:release": "annotate",
    "api:report": "annotate",
    "api:reopen": "annotate",
    "api:revise": "annotate",
    "api:trial": "manage",
    "api:trial_submit": "manage",
    "api:trial_draft": "manage",
    "api:trial_skip": "manage",
    "api:trial_renew": "manage",
    "api:trial_care": "manage",
    "api:trial_revise": "manage",
    "api:trial_reopen": "manage",
    "api:trial_report": "manage",
    "api:annotations": "export",
    "api:state": "manage",
    "api:settings": "manage",
    "api:people": "manage",
    "api:role": "manage",
    "api:invitation": "manage",
    "api:batches": "read",
    "api:labels": "read",
    "api:pair_changes": "manage",
    "api:pair_holds": "manage",
    "api:people_progress": "manage",
    "api:people_days": "manage",
    "api:pair_change": "manage",
    "api:findings": "read",
    "api:controls": "read",
    "api:control_people": "read",
    "api:controls_runs": "manage",
    "api:controls_run": "manage",
    "api:withdraw_control": "manage",
    "api:findings_runs": "manage",
    "api:agreement": "read",
    "api:annotators": "manage",
    "api:findings_run": "manage",
    "api:consent": "annotate",
    "api:own_progress": "annotate",
    "api:skips": "export",
    "api:imports": "manage",
    "api:import": "read",
    "api:import_begin": "manage",
    "api:import_cancel": "manage",
    "api:import_again": "manage",
    "api:import_bad_rows": "read",
    "api:import_undo": "manage",
    "api:removal": "read",
    "api:study_delete": "manage",
    "api:study_archive": "manage",
    "api:study_bring_back": "manage",
    "api:uploads": "manage",
    "api:upload": "manage",
}


def outcomes_by_scope(api: Any, world: World, name: str, scopes: Iterable[str]) -> dict[str, str]:
    """Return what the request to an endpoint means with a token of each of these scopes, of a person who may."""
    method, expected = MATRIX[name]
    person = world.people[next(role for role in Role.values if expected[role] == ALLOWED)]
    form, found, address = "json" if name.startswith("api:") else None, {}, ""
    with transaction.atomic():  # what the address leads to is made once
        for scope in scopes:
            client, body = api(None), BODIES.get(name, dict)()
            address = address or world.address(name, person)
            with transaction.atomic():
                client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(person, scopes=[scope])}")
                found[scope] = outcome(getattr(client, method)(address, body, format=form))
                transaction.set_rollback(True)  # the next request finds the same database
        transaction.set_rollback(True)
    return found


def wrong_scopes(name: str) -> list[str]:
    return [scope for scope in SCOPES if scope != SCOPE[name]]


@pytest.mark.parametrize("name", SCOPE)
def test_a_token_is_good_for_its_scope_and_not_for_another(api, worlds, name):
    right, wrong = SCOPE[name], wrong_scopes(name)[-1]
    assert outcomes_by_scope(api, worlds.of(name), name, [right, wrong]) == {right: ALLOWED, wrong: FORBIDDEN}


@pytest.mark.long
@pytest.mark.parametrize("name", SCOPE)
def test_a_token_is_good_for_no_other_scope(api, worlds, name):
    wrong = wrong_scopes(name)
    assert outcomes_by_scope(api, worlds.of(name), name, wrong) == dict.fromkeys(wrong, FORBIDDEN)


def test_every_endpoint_of_a_study_has_a_scope():
    open_to_all = {"api:schema", "api:unknown"}
    assert {name for name in MATRIX if name.startswith("api:")} - open_to_all == set(SCOPE)


def test_a_removed_role_gives_no_access(api, worlds):
    world = worlds.of("api:lease")
    annotator = world.people["annotator"]
    annotator.memberships.all().delete()
    client = api(annotator)
    assert client.post(world.address("api:lease", annotator)).status_code == 404
    assert client.post(world.address("api:renew", annotator)).status_code == 404
