"""Who may do what: role × endpoint × own, other or foreign study → allowed, forbidden or hidden.

The endpoints come from the URL configuration, so a new one without a row here fails.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import AccessToken
from accounts.tokens import SCOPES, issue_token
from annotation import serving
from calibration import preparing, turns
from calibration.models import CalibrationSession
from catalog.models import Batch, PairsChange
from charts.models import ChartFile
from consent import agreements
from controls.models import Control, ControlsRun
from figures.models import StudyFigures
from findings.models import Finding, FindingsRun
from importing.job_progress import bad_rows_file
from importing.models import Import
from media import names
from media.addresses import playback_url, poster_url
from qc import reviewing, verdicts
from qc.judging import Given
from qualification import attempts, sets
from releases.filters import Filter
from removal.models import Removal
from safety import quarantine
from safety.models import Quarantine, ReporterRelease
from studies.models import Invitation, Membership, Study
from studies.models.memberships import Role
from studies.pseudonyms import pseudonym
from suspensions import suspending
from suspensions.models import Pause, Suspension
from tests import factories
from tests.figures import figuring
from tests.qualification import world as qualified
from tests.releases import releasing

pytestmark = pytest.mark.django_db

ALLOWED, FORBIDDEN, HIDDEN, SIGN_IN = "allowed", "forbidden", "hidden", "sign in"
PEOPLE = [*Role.values, "another annotator", "officer", "superuser", "foreign", "anonymous"]


def row(
    method: str,
    *roles: str,
    others: str = FORBIDDEN,
    another: str | None = None,
    foreign: str = HIDDEN,
    officer: str | None = None,
    superuser: str | None = None,
    anonymous: str = SIGN_IN,
):
    """Return the outcomes for each kind of person.

    The outcome is ALLOWED for `roles`, and `others` for the study's other members. A second annotator gets what the
    first one gets, unless `another` says otherwise. A safety officer of the study, and a superuser, have no role in it:
    they get what a member of another study gets, unless said otherwise.
    """
    members = {role: ALLOWED if role in roles else others for role in Role.values}
    members["another annotator"] = another or members["annotator"]
    members |= {"officer": officer or foreign, "superuser": superuser or foreign}
    return method, members | {"foreign": foreign, "anonymous": anonymous}


def everyone(method: str, anonymous: str = SIGN_IN):
    """Return the outcomes of an address that is open to everybody who is signed in, in a study or not."""
    return row(method, *Role.values, foreign=ALLOWED, anonymous=anonymous)


EVERY_ROLE = Role.values
PROGRESS = ("reviewer", "researcher", "admin")
EXPORT = ("researcher", "admin")
IMPORT = ("researcher", "admin")
RUNS = ("researcher", "admin")
#: People who watch videos to judge them.
JUDGES = ("annotator", "reviewer", "researcher", "admin")
#: Only its reviewer may use a review. In the matrix it is the reviewer's.
OWN_REVIEW = {"others": HIDDEN, "another": HIDDEN}
#: Only safety officers may see reports, whatever somebody's role.
OFFICER = {"others": HIDDEN, "officer": ALLOWED}
SUPERUSER = {"foreign": FORBIDDEN, "superuser": ALLOWED}
#: Only its annotator may use an assignment. In the matrix it is the annotator's.
OWN_ASSIGNMENT = {"others": HIDDEN, "another": HIDDEN}
#: Only its person may use a token or an invitation. In the matrix it is the annotator's.
OWN = {"others": HIDDEN, "another": HIDDEN}

MATRIX = {
    "home": everyone("get"),
    "healthz": everyone("get", anonymous=ALLOWED),
    "healthz_workers": everyone("get", anonymous=ALLOWED),
    "accounts:sign_in": everyone("get", anonymous=ALLOWED),
    "accounts:sign_in_in_place": everyone("get", anonymous=ALLOWED),
    "accounts:sign_out": everyone("post", anonymous=ALLOWED),  # redirects to the sign-in page, as for everybody
    "accounts:password": everyone("get"),
    "accounts:tokens": everyone("get"),
    "accounts:revoke_token": row("post", "annotator", superuser=ALLOWED, **OWN),
    "accounts:all_tokens": row("get", **SUPERUSER),
    "accounts:reset_password": row("get", **SUPERUSER),
    "accounts:viewing": everyone("get"),
    "accounts:language": everyone("post", anonymous=ALLOWED),
    "accounts:second_factor": everyone("get"),
    "accounts:second_factor_new": everyone("get"),
    "accounts:second_factor_picture": everyone("get"),
    "accounts:second_factor_backup_codes": everyone("post"),
    "studies:guideline": row("get", *EVERY_ROLE),
    "studies:edit_guideline": row("get", *RUNS),
    "studies:preview_guideline": row("post", *RUNS),
    "catalog:prompts": row("get", *RUNS),
    "catalog:videos": row("get", *RUNS),
    "catalog:pairs": row("get", *RUNS),
    "catalog:prompts_csv": row("get", *RUNS),
    "catalog:videos_csv": row("get", *RUNS),
    "catalog:pairs_csv": row("get", *RUNS),
    "catalog:prompt": row("get", *RUNS),
    "catalog:video": row("get", *RUNS),
    "catalog:pair": row("get", *RUNS),
    "catalog:hold_pairs": row("post", *RUNS),
    "catalog:hold_pair": row("post", *RUNS),
    # A researcher or admin of one study can make others
    "studies:new": row("get", *RUNS, foreign=ALLOWED, officer=FORBIDDEN),
    "studies:state": row("get", *RUNS),
    "studies:close": row("get", *RUNS),
    "studies:settings_file": row("get", *RUNS),
    "studies:settings_download": row("get", *RUNS),
    "studies:settings_schema": row("get", *RUNS),
    "removal:delete_study": row("get", "admin"),
    "catalog:hold_listed": row("get", *RUNS),
    "studies:settings": row("get", *RUNS),
    "studies:consent": row("get", *RUNS),
    "catalog:licences": row("get", *RUNS),
    "studies:jobs": row("get", *RUNS),
    "catalog:media": row("get", *RUNS),
    "catalog:retry_media": row("post", *RUNS),
    "studies:people": row("get", *RUNS),
    "studies:invite": row("post", *RUNS),
    "studies:numbered": row("post", *RUNS),
    "studies:person": row("get", *RUNS),
    "studies:roles": row("post", *RUNS),
    "studies:password": row("post", *RUNS),
    "studies:tokens": row("get", "admin"),
    "answers:people_progress": row("get", *RUNS),
    "answers:people_csv": row("get", *RUNS),
    "answers:people_days_csv": row("get", *RUNS),
    "answers:person_progress": row("get", *RUNS),
    "studies:withdraw_invitation": row("post", *RUNS),
    "studies:answer_invitation": row("post", "annotator", **OWN),
    "studies:dismiss_notice": everyone("post"),  # dismissing another person's notice changes nothing
    "catalog:batches": row("get", *RUNS),
    "catalog:change_pairs": row("get", *RUNS),
    "catalog:change": row("get", *RUNS),
    "catalog:cancel_change": row("post", *RUNS),
    "catalog:resume_change": row("post", *RUNS),
    "annotation:workspace": row("get", "annotator"),
    "consent:page": row("get", *JUDGES),
    "consent:withdraw": row("post", *JUDGES),
    "consent:wellbeing": row("get", "wellbeing_contact"),
    "consent:wellbeing_person": row("get", "wellbeing_contact"),
    "consent:exposure": row("get", "researcher", "admin"),
    "trial:page": row("get", *RUNS),
    "answers:my_work": row("get", "annotator"),
    "answers:list": row("get", *RUNS),
    "answers:list_csv": row("get", *RUNS),
    "figures:dashboard": row("get", *PROGRESS),
    "releases:list": row("get", *EXPORT),
    "releases:list_csv": row("get", *EXPORT),
    "releases:new": row("get", *RUNS),
    "releases:withdraw": row("get", *RUNS),
    "releases:withdrawals_csv": row("get", *RUNS),
    "releases:release": row("get", *EXPORT),
    "releases:funnel_csv": row("get", *EXPORT),
    "releases:left_out_csv": row("get", *EXPORT),
    "releases:records": row("get", *EXPORT),
    "releases:records_csv": row("get", *EXPORT),
    "releases:record": row("get", *EXPORT),
    "releases:compare": row("get", *EXPORT),
    "releases:compare_csv": row("get", *EXPORT),
    "releases:card": row("get", *EXPORT),
    "releases:figures": row("get", *EXPORT),
    "releases:figure_csv": row("get", *EXPORT),
    "releases:progress": row("get", *EXPORT),
    "releases:cancel": row("post", *RUNS),
    "api:releases": row("get", *EXPORT),
    "api:release_detail": row("get", *EXPORT),
    "api:release_cancel": row("post", *RUNS),
    "api:release_file": row("get", *EXPORT),
    "api:release_comparison": row("get", *EXPORT),
    "api:withdrawals": row("get", *EXPORT),
    "qc:lots": row("get", *PROGRESS),
    "qc:new_lot": row("get", *RUNS),
    "qc:lot": row("get", *PROGRESS),
    "qc:lot_answers": row("get", *RUNS),
    "qc:lot_answers_csv": row("get", *RUNS),
    "qc:reviewers": row("get", *RUNS),
    "qc:reviewers_csv": row("get", *RUNS),
    "api:reviewers": row("get", *RUNS),
    "qc:start_lot": row("post", *RUNS),
    "qc:dissolve_lot": row("post", *RUNS),
    "qc:draw_lot": row("post", *RUNS),
    "qc:decide_lot": row("get", *RUNS),
    "qc:reopen_lot": row("post", *RUNS),
    "api:lots": row("post", *RUNS),
    "api:lot_start": row("post", *RUNS),
    "api:lot_draw": row("post", *RUNS),
    "api:lot_quality": row("get", *RUNS),
    "api:lot_decision": row("post", *RUNS),
    "qualification:own": row("get", "annotator"),
    "qualification:begin": row("post", "annotator"),
    "qualification:work": row("get", "annotator"),
    "qualification:overview": row("get", *RUNS),
    "qualification:set": row("get", *RUNS),
    "qualification:change_set": row("post", *RUNS),
    "qualification:item": row("get", *RUNS),
    "qualification:people": row("get", *RUNS),
    "qualification:people_csv": row("get", *RUNS),
    "qualification:person": row("get", *RUNS),
    "qualification:decide": row("post", *RUNS),
    "qualification:questions": row("get", *RUNS),
    "qualification:questions_csv": row("get", *RUNS),
    "qualification:answers": row("get", *RUNS),
    "qualification:answers_csv": row("get", *RUNS),
    "api:qualification": row("get", "annotator"),
    "api:qualification_begin": row("post", "annotator"),
    "api:qualification_next": row("post", "annotator"),
    "api:qualifying_answer": row("post", "annotator", **OWN),
    "api:qualifying_go_on": row("post", "annotator", **OWN),
    "api:qualifying_skip": row("post", "annotator", **OWN),
    "api:qualifying_renew": row("post", "annotator", **OWN),
    "api:qualifying_care": row("post", "annotator", **OWN),
    "api:qualifying_report": row("post", "annotator", **OWN),
    "api:qualification_sets": row("post", *RUNS),
    "api:qualification_set": row("get", *RUNS),
    "api:qualification_publish": row("post", *RUNS),
    "api:qualification_people": row("get", *RUNS),
    "api:qualification_decide": row("post", *RUNS),
    "api:qualification_questions": row("get", *RUNS),
    "calibration:calibrations": row("get", *PROGRESS),
    "calibration:calibration": row("get", *PROGRESS),
    "calibration:change_calibration": row("post", *RUNS),
    "calibration:calibrate": row("get", *PROGRESS),
    "calibration:calibration_csv": row("get", *PROGRESS),
    "api:quality": row("get", *PROGRESS),
    "api:assign_reviews": row("post", *RUNS),
    "api:calibrations": row("get", *PROGRESS),
    "api:calibration": row("get", *PROGRESS),
    "api:calibration_next": row("post", *PROGRESS),
    "api:turn_answer": row("post", "reviewer", **OWN_REVIEW),
    "api:turn_skip": row("post", "reviewer", **OWN_REVIEW),
    "api:turn_renew": row("post", "reviewer", **OWN_REVIEW),
    "api:turn_care": row("post", "reviewer", **OWN_REVIEW),
    "api:turn_report": row("post", "reviewer", **OWN_REVIEW),
    "figures:quality": row("get", *PROGRESS),
    "figures:quality_csv": row("get", *PROGRESS),
    "figures:recount_quality": row("post", *PROGRESS),
    "figures:decided": row("get", *PROGRESS),
    "figures:decided_csv": row("get", *PROGRESS),
    "figures:waiting": row("get", *RUNS),
    "figures:waiting_csv": row("get", *RUNS),
    "figures:defects": row("get", *RUNS),
    "figures:defects_csv": row("get", *RUNS),
    "figures:reviewed": row("get", *RUNS),
    "figures:reviewed_csv": row("get", *RUNS),
    "qc:reviews": row("get", *PROGRESS),
    "qc:review": row("get", "reviewer"),  # the secondary review; researchers check instead
    "qc:reply": row("post", "annotator", another=HIDDEN),
    "api:lease_review": row("post", "reviewer"),
    "api:review_answer": row("post", "reviewer", **OWN_REVIEW),
    "api:review_submit": row("post", "reviewer", **OWN_REVIEW),
    "api:review_skip": row("post", "reviewer", **OWN_REVIEW),
    "api:review_undo": row("post", "reviewer", **OWN_REVIEW),
    "api:review_renew": row("post", "reviewer", **OWN_REVIEW),
    "api:review_care": row("post", "reviewer", **OWN_REVIEW),
    "api:review_release": row("post", "reviewer", **OWN_REVIEW),
    "api:review_report": row("post", "reviewer", **OWN_REVIEW),
    "findings:findings": row("get", *RUNS),
    "controls:controls": row("get", *RUNS),
    "controls:controls_csv": row("get", *RUNS),
    "controls:make_controls": row("post", *RUNS),
    "controls:withdraw_control": row("post", *RUNS),
    "controls:control_people": row("get", *RUNS),
    "controls:control_people_csv": row("get", *RUNS),
    "controls:control_results": row("get", *RUNS),
    "controls:control_results_csv": row("get", *RUNS),
    "controls:controls_run": row("get", *RUNS),
    "controls:cancel_controls_run": row("post", *RUNS),
    "findings:findings_csv": row("get", *RUNS),
    "findings:dismiss_findings": row("post", *RUNS),
    "findings:finding": row("post", *RUNS),
    "findings:run_rules": row("post", *RUNS),
    "findings:findings_run": row("get", *RUNS),
    "findings:cancel_findings_run": row("post", *RUNS),
    "findings:rules": row("get", *RUNS),
    "suspensions:suspensions": row("get", *RUNS),
    "suspensions:suspend": row("get", *RUNS),
    "suspensions:suspension": row("get", *RUNS),
    "suspensions:suspension_csv": row("get", *RUNS),
    "suspensions:suspension_progress": row("get", *RUNS),
    "suspensions:lift_suspension": row("post", *RUNS),
    "suspensions:cancel_suspension": row("post", *RUNS),
    "suspensions:resume_suspension": row("post", *RUNS),
    "suspensions:pauses": row("get", *RUNS),
    "suspensions:pauses_csv": row("get", *RUNS),
    "suspensions:pause_rules": row("get", "admin"),
    "suspensions:end_pause": row("post", "admin"),
    "webhooks:endpoints": row("get", "admin"),
    "webhooks:endpoint": row("get", "admin"),
    "webhooks:replace_secret": row("post", "admin"),
    "webhooks:end_old_secrets": row("post", "admin"),
    "webhooks:switch_endpoint": row("post", "admin"),
    "webhooks:test_endpoint": row("post", "admin"),
    "webhooks:send_again": row("post", "admin"),
    "webhooks:delete_endpoint": row("post", "admin"),
    "api:webhooks": row("post", "admin"),
    "api:webhook": row("patch", "admin"),
    "api:webhook_secret": row("post", "admin"),
    "api:webhook_old_secrets": row("delete", "admin"),
    "api:webhook_test": row("post", "admin"),
    "api:webhook_deliveries": row("get", "admin"),
    "api:webhook_send_again": row("post", "admin"),
    "api:suspensions": row("post", *RUNS),
    "api:suspension_preview": row("get", *RUNS),
    "api:suspension": row("get", *RUNS),
    "api:suspension_lift": row("post", *RUNS),
    "api:pauses": row("get", *RUNS),
    "api:pause_end": row("post", "admin"),
    "figures:agreement": row("get", *PROGRESS),
    "figures:agreement_csv": row("get", *PROGRESS),
    "figures:agreement_pairs": row("get", *RUNS),
    "figures:agreement_pairs_csv": row("get", *RUNS),
    "figures:compute_agreement": row("post", *RUNS),
    "figures:annotators": row("get", *RUNS),
    "figures:annotators_csv": row("get", *RUNS),
    "figures:annotator": row("get", *RUNS),
    "figures:annotator_answers": row("get", *RUNS),
    "figures:compute_annotators": row("post", *RUNS),
    "figures:figures_job": row("get", *PROGRESS),
    "figures:cancel_figures": row("post", *RUNS),
    "charts:draw_chart": row("post", *PROGRESS),
    "charts:chart_file": row("get", *PROGRESS),
    "charts:chart_progress": row("get", *PROGRESS),
    "charts:chart_download": row("get", *PROGRESS),
    # Besides the appointment, a second factor is needed, and an officer without one is redirected to set it up.
    # test_safety_pages tests the pages behind it.
    "safety:reports": row("get", foreign=FORBIDDEN, officer=ALLOWED),
    "safety:report": row("get", **OFFICER),
    "safety:view": row("post", **OFFICER),
    "safety:video": row("get", **OFFICER),
    "safety:referral": row("post", **OFFICER),
    "safety:confirm": row("post", **OFFICER),
    "safety:legal_hold": row("post", **OFFICER),
    "safety:release": row("post", **OFFICER),
    "safety:reporter": row("get", foreign=FORBIDDEN, officer=ALLOWED),
    "safety:release_progress": row("get", foreign=FORBIDDEN, officer=ALLOWED),
    "safety:cancel_release": row("post", foreign=FORBIDDEN, officer=ALLOWED),
    "safety:officers": row("get", **SUPERUSER),
    "safety:dismiss": row("post", **SUPERUSER),
    # The address is its own proof: it is signed for a person and an hour, and checked without the database.
    "media:playback": everyone("get", anonymous=ALLOWED),
    "media:poster": everyone("get", anonymous=ALLOWED),
    "importing:imports": row("get", *IMPORT),
    "importing:new": row("get", *IMPORT),
    "importing:import": row("get", *IMPORT),
    "importing:progress": row("get", *IMPORT),
    "importing:begin": row("post", *IMPORT),
    "importing:cancel": row("post", *IMPORT),
    "importing:again": row("post", *IMPORT),
    "removal:undo": row("get", *IMPORT),
    "removal:removal": row("get", *IMPORT),
    "removal:progress": row("get", *IMPORT),
    "removal:cancel": row("post", *IMPORT),
    "importing:bad_rows_csv": row("get", *IMPORT),
    "importing:bad_rows_jsonl": row("get", *IMPORT),
    "api:imports": row("post", *IMPORT),
    "api:import": row("get", *IMPORT),
    "api:import_begin": row("post", *IMPORT),
    "api:import_cancel": row("post", *IMPORT),
    "api:import_again": row("post", *IMPORT),
    "api:import_bad_rows": row("get", *IMPORT),
    "api:import_undo": row("post", *IMPORT),
    "api:removal": row("get", *IMPORT),
    "api:study_delete": row("post", "admin"),
    "api:study_archive": row("post", *RUNS),
    "api:study_bring_back": row("post", *RUNS),
    "api:uploads": row("get", *IMPORT),
    "api:upload": row("head", *IMPORT),
    "api:schema": everyone("get", anonymous=ALLOWED),
    "api:unknown": row("get", others=HIDDEN, anonymous=HIDDEN),
    "api:studies": everyone("get"),
    "api:study": row("get", *EVERY_ROLE),
    "api:lease": row("post", "annotator"),
    "api:guideline": row("get", *EVERY_ROLE),
    "api:guideline_changes": row("get", "annotator"),
    "api:guideline_read": row("post", "annotator"),
    "api:submit": row("post", "annotator", **OWN_ASSIGNMENT),
    "api:draft": row("put", "annotator", **OWN_ASSIGNMENT),
    "api:skip": row("post", "annotator", **OWN_ASSIGNMENT),
    "api:renew": row("post", "annotator", **OWN_ASSIGNMENT),
    "api:care": row("post", "annotator", **OWN_ASSIGNMENT),
    "api:release": row("post", "annotator", **OWN_ASSIGNMENT),
    "api:report": row("post", "annotator", **OWN_ASSIGNMENT),
    "api:reopen": row("get", "annotator", **OWN_ASSIGNMENT),
    "api:revise": row("post", "annotator", **OWN_ASSIGNMENT),
    "api:trial": row("post", *RUNS),
    "api:trial_submit": row("post", *RUNS),
    "api:trial_draft": row("put", *RUNS),
    "api:trial_skip": row("post", *RUNS),
    "api:trial_renew": row("post", *RUNS),
    "api:trial_care": row("post", *RUNS),
    "api:trial_revise": row("post", *RUNS),
    "api:trial_reopen": row("get", *RUNS),
    "api:trial_report": row("post", *RUNS),
    "api:annotations": row("get", *EXPORT),
    "api_reference": everyone("get", anonymous=ALLOWED),
    "api:state": row("post", *RUNS),
    "api:settings": row("patch", *RUNS),
    "api:people": row("post", *RUNS),
    "api:role": row("put", *RUNS),
    "api:invitation": row("delete", *RUNS),
    "api:batches": row("get", *RUNS),
    "api:pair_changes": row("post", *RUNS),
    "api:pair_holds": row("post", *RUNS),
    "api:people_progress": row("get", *RUNS),
    "api:people_days": row("get", *RUNS),
    "api:pair_change": row("delete", *RUNS),
    "api:consent": row("get", *JUDGES),
    "api:own_progress": row("get", "annotator"),
    "api:skips": row("get", *EXPORT),
    "api:findings": row("get", *RUNS),
    "api:controls": row("get", *RUNS),
    "api:control_people": row("get", *RUNS),
    "api:controls_runs": row("post", *RUNS),
    "api:controls_run": row("delete", *RUNS),
    "api:withdraw_control": row("post", *RUNS),
    "api:findings_runs": row("post", *RUNS),
    "api:findings_run": row("delete", *RUNS),
    "api:agreement": row("get", *PROGRESS),
    "api:annotators": row("post", *RUNS),
}


def first_annotator() -> int:
    """Return the key of the annotator of the study that the matrix is about."""
    annotators = Membership.objects.filter(study=Study.objects.earliest("pk"), role="annotator")
    return annotators.earliest("pk").person_id


#: Endpoints about a submitted answer.
OF_AN_ANSWER = {"api:reopen", "api:revise"}
#: Signed for the person who asks.
OF_A_PERSON = {"media:playback", "media:poster"}
BODIES = {
    "api:suspensions": lambda: {"person": first_annotator(), "reason": "Random clicks."},
    "api:webhooks": lambda: {"address": "https://example.org/new", "events": ["lot.accepted"]},
    "api:webhook": lambda: {"events": ["lot.returned"]},
    "api:suspension_preview": lambda: {"person": first_annotator()},
    "api:suspension_lift": lambda: {"reason": "A mistake."},
    "api:pause_end": lambda: {"reason": "We talked."},
    "studies:preview_guideline": lambda: {"language": "en", "text": "Words."},
    "catalog:hold_pairs": lambda: {"act": "release"},
    "catalog:hold_pair": lambda: {"act": "release"},
    "studies:invite": lambda: {"names": "kim", "role": "annotator"},
    "studies:numbered": lambda: {"once": str(uuid.uuid4()), "count": 1, "role": "annotator"},
    "studies:roles": lambda: {"role": "reviewer", "act": "grant"},
    "studies:answer_invitation": lambda: {"act": "accept"},
    "api:submit": factories.body,
    "api:draft": lambda: {"helpfulness": {}},
    "api:care": lambda: {"care": {"hidden": 1}},
    "api:skip": lambda: {"reason": "cannot_judge"},
    "api:report": lambda: {"videos": ["video_0"]},
    "api:guideline_read": lambda: {"version": 1},
    "api:revise": lambda: factories.body(reason="reopened"),
    "api:imports": lambda: {"source": "upload"},
    "api:state": lambda: {"step": "pause"},
    "api:settings": lambda: {"format": "diptych-study-settings", "version": 1, "settings": {"overlap": 2}},
    "api:people": lambda: {"names": ["kim"], "role": "annotator"},
    "api:pair_changes": lambda: {"what": "priority", "value": 3},
    "api:pair_holds": lambda: {"act": "release", "filters": {}},
    "api:trial_submit": factories.body,
    "api:trial_draft": lambda: {"helpfulness": {}},
    "api:trial_skip": lambda: {"reason": "cannot_judge"},
    "api:trial_care": lambda: {"care": {"hidden": 1}},
    "api:trial_revise": lambda: factories.body(reason="second_look"),
    "api:trial_report": lambda: {"videos": ["video_0"]},
    "charts:draw_chart": lambda: {"format": "svg"},
    "qc:reply": lambda: {"text": "Please look again."},
    "api:lease_review": lambda: {"kind": "secondary"},
    "api:controls_runs": lambda: {"kind": "tag_gold", "number": 1},
    "api:withdraw_control": lambda: {"because": "It is wrong."},
    "api:lots": lambda: {"batches": [1]},
    "api:lot_draw": lambda: {"without_rest": True},
    "api:lot_decision": lambda: {
        "outcome": "returned",
        "reason": "x",
        "ask_again": "all",
        "against_plan": True,
    },
    "api:review_answer": factories.body,
    "api:assign_reviews": lambda: {"kind": "secondary", "reviewer": None},
    "qualification:decide": lambda: {"act": "waive", "reason": "Worked in the last study."},
    "qualification:change_set": lambda: {"act": "publish"},
    "api:qualification_begin": lambda: {"kind": "training"},
    "api:qualification_next": lambda: {"kind": "training"},
    "api:qualifying_answer": factories.body,
    "api:qualifying_skip": lambda: {"reason": "cannot_judge"},
    "api:qualifying_care": lambda: {"care": {"hidden": 1}},
    "api:qualifying_report": lambda: {"videos": ["video_0"]},
    "api:qualification_sets": lambda: {"kind": "training"},
    "api:qualification_decide": lambda: {"act": "waive", "reason": "Worked in the last study."},
    "api:turn_answer": factories.body,
    "api:turn_skip": lambda: {"reason": "cannot_judge"},
    "api:turn_care": lambda: {"care": {"hidden": 1}},
    "api:turn_report": lambda: {"videos": ["video_0"]},
    "api:review_submit": dict,
    "api:review_skip": lambda: {"reason": "cannot_judge"},
    "api:review_care": lambda: {"care": {"hidden": 1}},
    "api:review_report": lambda: {"videos": ["video_0"]},
    "api:study_delete": lambda: {"slug": Study.objects.earliest("pk").slug},
}


def endpoints(
    resolver: URLResolver, space: str = "", outer: frozenset[str] = frozenset()
) -> Iterator[tuple[str, set[str]]]:
    """Return every named address with its parameters, also those of the addresses that it is included below."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from endpoints(entry, inner, outer | set(entry.pattern.converters))
        elif isinstance(entry, URLPattern):
            assert entry.name, f"{entry.pattern} has no name, so no row can speak of it"
            yield f"{space}{entry.name}", outer | set(entry.pattern.converters)


def test_every_endpoint_has_a_row():
    assert {name for name, _ in endpoints(get_resolver())} == set(MATRIX)


class World:
    """A study with one person of each role, an assignment of its annotator, and a person of another study."""

    def __init__(self) -> None:
        self.study = factories.study()
        self.pair = factories.pair(self.study)
        factories.pairs(self.study, 3)
        self.people: dict[str, Any] = {role: factories.member(self.study, role) for role in Role.values}
        self.people["annotator"].memberships.update(made_account=True)
        self.people["another annotator"] = factories.member(self.study, "annotator")
        self.people["officer"] = factories.officer(self.study)
        self.people["superuser"] = factories.person(is_superuser=True)
        self.people["foreign"] = self._member_of_everything_elsewhere()
        self.people["anonymous"] = None
        self.answered = factories.answer(self.people["annotator"], self.study)
        self.assignment = serving.lease(self.people["annotator"], self.study).current

    def store_files(self) -> None:
        """Store the files of the pair, where the storage of this test is."""
        for name in (names.playback, names.poster):
            if not default_storage.exists(name(self.pair.video_0.asset.public_id)):
                default_storage.save(name(self.pair.video_0.asset.public_id), ContentFile(b"media"))

    def _member_of_everything_elsewhere(self) -> Any:
        elsewhere = factories.study()
        person = factories.member(elsewhere, "annotator")
        for role in set(Role.values) - {"annotator"}:
            person.memberships.create(study=elsewhere, role=role)
        return person

    def address(self, name: str, person: Any) -> str:
        asset, person_id = self.pair.video_0.asset.public_id, person.pk if person else 0
        if name == "media:playback":
            return playback_url(asset, person_id, None, 3600)
        if name == "media:poster":
            return poster_url(asset, person_id, None, 3600)
        parameters = dict(endpoints(get_resolver()))[name]
        assignment = self.answered if name in OF_AN_ANSWER else self.assignment
        values = {"slug": self.study.slug, "assignment_id": assignment.pk, "person_id": self.people["annotator"].pk}
        values |= {"prompt_id": self.pair.prompt.public_id, "video_id": self.pair.video_0.public_id}
        values |= {"pair_id": self.pair.public_id, "pair_key": self.pair.pk, "group": "protocol"}
        values |= {"name": self.people["annotator"].username, "role": "reviewer", "table": "decisions-by-week"}
        if "import_id" in parameters:
            values |= self.collecting()
        if "removal_id" in parameters:
            values["removal_id"] = self.removal().pk
        if "change_id" in parameters:
            values["change_id"] = self.ordered().pk
        if "finding_id" in parameters:
            values["finding_id"] = self.finding().pk
        if "suspension_id" in parameters:
            values["suspension_id"] = self.suspended().pk
        if {"endpoint_id", "delivery_id"} & parameters:
            values |= self.told()
        if "pause_id" in parameters:
            values["pause_id"] = self.paused().pk
        if "run_id" in parameters:
            values["run_id"] = (self.controls_run() if "controls" in name else self.findings_run()).pk
        if "control_id" in parameters:
            values["control_id"] = self.control().pk
        if name.startswith(("charts:", "figures:a", "figures:c", "figures:f")):
            values |= self.computed()
        if "invitation_id" in parameters:
            values["invitation_id"] = self.invited().pk
        if "token_id" in parameters:
            issue_token(self.people["annotator"], scopes=["read"])
            values["token_id"] = AccessToken.objects.get(user=self.people["annotator"]).public_id
        values["notice_id"] = 1
        if "quarantine_id" in parameters:
            values["quarantine_id"] = self.reported().pk
        if "code" in parameters:
            self.reported()
            mine = self.people["annotator"].reporter
            facts = {"asked_by": self.people["officer"], "decision": "None was right.", "until": 1}
            ReporterRelease.objects.create(reporter=mine, **facts)
            values["code"] = mine.code
        if "release_id" in parameters or name.startswith("releases:"):
            values |= self.released()
        elif "qualif" in name:
            values |= self.qualifying(name)
        elif "calibrat" in name or "turn_id" in parameters:
            values |= self.calibrated(name)
        elif {"review_id", "lot_id", "number", "item_id"} & parameters:
            values |= self.reviewed(name)
        if "officer_id" in parameters:
            values["officer_id"] = self.people["officer"].appointments.get().pk
        return reverse(name, kwargs={key: values[key] for key in parameters})

    def collecting(self) -> dict[str, str]:
        """Return an import that collected one file, and has a bad row from an earlier attempt."""
        job = Import.objects.create(study=self.study, source="upload", state="collecting", bad_rows=1)
        default_storage.save(bad_rows_file(job), ContentFile(b"{}\n"))
        upload = job.uploads.create(path="a.mp4", byte_size=1, received=1)
        return {"import_id": job.public_id, "upload_id": upload.public_id}

    def ordered(self) -> PairsChange:
        """Return a waiting change of the study's pairs."""
        facts = {"what": "overlap", "value": 2, "steps_total": 4, "until": self.pair.pk}
        return PairsChange.objects.create(study=self.study, asked_by=self.people["researcher"], **facts)

    def finding(self) -> Finding:
        """Return a finding about the answer of the annotator."""
        facts = {"annotation": self.answered.standing.current, "person": self.people["annotator"]}
        facts |= {"rule": "quick_none", "version": 1, "severity": "warning", "evidence": {"chosen_ms": 1}}
        return Finding.objects.create(study=self.study, assignment=self.answered, **facts)

    def findings_run(self) -> FindingsRun:
        """Return a waiting run of a rule."""
        facts = {"rules": ["one_side"], "until": self.answered.pk, "asked_by": self.people["researcher"]}
        return FindingsRun.objects.create(study=self.study, **facts)

    def controls_run(self) -> ControlsRun:
        """Return a waiting run that makes controls."""
        asked_by = self.people["researcher"]
        return ControlsRun.objects.create(study=self.study, kind="reencoded", steps_total=1, asked_by=asked_by)

    def control(self) -> Control:
        """Return a control of the pair."""
        pair = factories.pair(self.study, kind="control", expected={"answer": "video_0"}, repeats=self.pair)
        facts = {"kind": "consensus_repeat", "question": "helpfulness", "made_by": self.people["researcher"]}
        return Control.objects.create(study=self.study, pair=pair, **facts)

    def suspended(self) -> Suspension:
        """Return the suspension of the annotator, which has returned no answers."""
        person, actor = self.people["annotator"], self.people["researcher"]
        return suspending.suspend(person, self.study, suspending.Choice(), why="Random clicks.", actor=actor)

    def told(self) -> dict[str, int]:
        """Return an endpoint and a delivery to it that has ended."""
        endpoint = factories.endpoint(self.study)
        done = {"state": "done", "finished_at": timezone.now()}
        return {"endpoint_id": endpoint.pk, "delivery_id": factories.delivery(endpoint, **done).pk}

    def paused(self) -> Pause:
        """Return a pause of the annotator."""
        return factories.pause(self.study, self.people["annotator"])

    def computed(self) -> dict[str, Any]:
        """Return a waiting computation of figures, after both kinds were computed, and the annotator's code."""
        mine = self.people["annotator"]
        for kind in ("agreement", "annotators"):
            figuring.asked(self.study, kind)
        job = StudyFigures.objects.create(study=self.study, kind="agreement")
        done = {"state": "done", "finished_at": timezone.now(), "content": b"x"}
        drawn = ChartFile.objects.create(
            study=self.study, name="x", format="svg", digest="0" * 64, specification={}, **done
        )
        codes = {"author": pseudonym(self.study, mine.pk), "chart": "agreement"}
        return {"job_id": job.pk, "file_id": drawn.pk} | codes

    def released(self) -> dict[str, Any]:
        """Return the second of two complete releases of the annotator's answer."""
        releasing.make(self.study, filter=Filter(decisions=("none",)))
        made = releasing.make(self.study, filter=Filter(decisions=("none",)))
        return {
            "release_id": made.pk,
            "number": made.number,
            "path": "pairs.jsonl",
            "pair_id": self.pair.public_id,
            "name": "tag-shares",
        }

    def removal(self) -> Removal:
        """Return an import of the study that is being undone."""
        facts = {"study_number": self.study.pk, "study_slug": self.study.slug, "study_title": self.study.title}
        return Removal.objects.create(what="import", import_number=1, **facts)

    def invited(self) -> Invitation:
        """Return an invitation of the annotator to another role. A researcher or admin of the study may withdraw it."""
        return Invitation.objects.create(study=self.study, person=self.people["annotator"], role="reviewer")

    def reviewed(self, name: str) -> dict[str, Any]:
        """Return a lot with the annotator's answer, reviewed by the reviewer. For an undo, it was submitted."""
        lot = factories.lot(self.study, self.answered.pair.batch, state="in_review", blind_share=0)
        item = factories.frame_item(lot, self.answered)
        reviewer = self.people["reviewer"]
        agreements.agree(reviewer, self.study, categories=self.study.categories, text="I agree.")
        if name == "api:lot_decision":
            Batch.objects.filter(study=self.study).update(state="in_review")
        if name == "api:lease_review" or "lot" in name:
            return {"lot_id": lot.pk, "number": lot.number}
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        given = [Given(review.pk, item.current_id, "aesthetics", "guideline_unclear", comment="Say more.")]
        if name in ("qc:reply", "api:review_undo"):
            verdicts.submit(review, reviewer, given)
        return {"review_id": review.pk, "item_id": item.pk, "number": lot.number, "kind": "secondary"}

    def calibrated(self, name: str) -> dict[str, Any]:
        """Return a calibration session with the turn of the reviewer. It is closed where its results are read."""
        actor, reviewer = self.people["admin"], self.people["reviewer"]
        session = preparing.make(self.study, "Tags", actor=actor)
        preparing.add(session, pairs=[self.pair.public_id], actor=actor)
        preparing.open_session(session, actor=actor)
        for role in ("reviewer", "researcher", "admin"):
            agreements.agree(self.people[role], self.study, categories=self.study.categories, text="I agree.")
        turn = turns.next_turn(reviewer, session).sitting
        assert turn is not None
        if name in ("calibration:calibration_csv", "api:calibration"):
            CalibrationSession.objects.update(state="closed", closed_at=timezone.now())
        return {"session_id": session.pk, "number": session.number, "turn_id": turn.pk}

    def qualifying(self, name: str) -> dict[str, Any]:
        """Return a draft of a test, and the turn of the annotator in a training. The study asks for qualification."""
        actor, mine = self.people["admin"], self.people["annotator"]
        qualified.asks_for_qualification(self.study, actor, training=1)
        draft = sets.make_draft(self.study, "test", actor=actor)
        turn = attempts.next_step(attempts.begin(mine, self.study, "training"), mine).turn
        assert turn is not None
        if name == "api:qualifying_go_on":
            qualified.answer(turn, mine)
        keys = {"set_id": draft.pk, "number": draft.number, "item_id": qualified.item(draft).pk, "turn_id": turn.pk}
        return keys | {"kind": "training" if name.rpartition(":")[2] in ("begin", "work") else "test"}

    def reported(self) -> Quarantine:
        return quarantine.report(self.pair, ["video_0"], by=self.people["annotator"])[0]


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Return one world for all tests of a module. Each test is rolled back to it, which is quicker than a new one."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.fixture
def world(built: World, db: None) -> World:
    built.store_files()
    return built


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


def says_nothing_is_removed(response: Any) -> bool:
    """Return whether the response says why nothing is removed: the import added nothing, or its pairs were assigned."""
    return response.status_code == 409 and (
        b'"not_removed"' in response.content or b"nothing to undo" in response.content
    )


@pytest.mark.parametrize("name", MATRIX)
def test_the_matrix(api, world, name):
    method, expected = MATRIX[name]
    form, found, address = "json" if name.startswith("api:") else None, {}, ""
    with transaction.atomic():  # what the address leads to is made once
        for who in PEOPLE:
            person, body = world.people[who], BODIES.get(name, dict)()
            if not address or name in OF_A_PERSON:
                address = world.address(name, person)
            with transaction.atomic():
                found[who] = outcome(getattr(api(person), method)(address, body, format=form))
                transaction.set_rollback(True)  # the next request finds the same database
        transaction.set_rollback(True)
    assert found == expected


#: The scope that a token needs, where one is enough.
SCOPE = {
    "api:releases": "export",
    "api:release_detail": "export",
    "api:release_cancel": "manage",
    "api:release_file": "export",
    "api:release_comparison": "export",
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


@pytest.mark.parametrize("name", SCOPE)
def test_a_token_is_good_for_its_scope_only(api, world, name):
    method, expected = MATRIX[name]
    person = world.people[next(role for role in Role.values if expected[role] == ALLOWED)]
    form, found, address = "json" if name.startswith("api:") else None, {}, ""
    with transaction.atomic():  # what the address leads to is made once
        for scope in SCOPES:
            client, body = api(None), BODIES.get(name, dict)()
            address = address or world.address(name, person)
            with transaction.atomic():
                client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(person, scopes=[scope])}")
                found[scope] = outcome(getattr(client, method)(address, body, format=form))
                transaction.set_rollback(True)  # the next request finds the same database
        transaction.set_rollback(True)
    assert found == {scope: ALLOWED if SCOPE[name] == scope else FORBIDDEN for scope in SCOPES}


def test_every_endpoint_of_a_study_has_a_scope():
    open_to_all = {"api:schema", "api:unknown"}
    assert {name for name in MATRIX if name.startswith("api:")} - open_to_all == set(SCOPE)


def test_a_removed_role_gives_no_access(api, world):
    annotator = world.people["annotator"]
    annotator.memberships.all().delete()
    client = api(annotator)
    assert client.post(world.address("api:lease", annotator)).status_code == 404
    assert client.post(world.address("api:renew", annotator)).status_code == 404
