"""What a browser may do with our pages. The rules are strict on every page, error pages included."""

from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from django.utils import timezone

from accounts.tokens import create_token
from calibration import preparing
from charts import files
from importing.models import Import
from qc import lot_charts
from releases.filters import Filter
from removal.models import Removal
from safety import quarantine
from studies.invitations import offer
from studies.memberships import join
from studies.pseudonyms import pseudonym
from suspensions import suspending
from tests import factories
from tests.figures import figuring
from tests.qualification import world as qualified
from tests.releases import releasing
from tests.training import registering, runs
from tests.world import endpoints

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}


class Inline(HTMLParser):
    """A parser that finds what the policy would refuse: scripts and styles in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        data_block = names.get("type") in {"application/json"}
        if tag == "style" or (tag == "script" and "src" not in names and not data_block):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag}[{name}]" for name in names if name == "style" or name.startswith("on")]


@pytest.fixture(scope="module")
def pages(django_db_setup, django_db_blocker):
    """Return every page as a person who may see it, and the error pages."""
    with django_db_blocker.unblock(), transaction.atomic():
        study = factories.study()
        yield fetched(study, factories.member(study, "annotator"), factories.member(study, "researcher"))
        transaction.set_rollback(True)


def fetched(study, annotator, researcher):

    def client(person=None):
        signed_in = Client(raise_request_exception=False, enforce_csrf_checks=True)
        if person:
            signed_in.force_login(person)
        return signed_in

    prompt = factories.prompt(study)
    shown = factories.pair(study)
    several = factories.member(study, "reviewer")
    contact = factories.member(study, "wellbeing_contact")
    several.memberships.create(study=factories.study(), role="annotator")
    officer = factories.officer(study)
    safety = factories.with_second_factor(officer)
    forgetful = factories.member(study, "annotator")
    forgetful.memberships.update(made_account=True)
    owner = factories.member(study, "admin", is_superuser=True)
    token = create_token(owner, scopes=["read"], name="nightly report").row
    offer(factories.study(), several, "annotator", actor=owner)
    join(study, several, "annotator", actor=owner, tell_person=True)
    unchecked = Client()
    unchecked.force_login(researcher)
    collecting = Import.objects.create(study=study, source="upload", state="collecting")
    done = Import.objects.create(study=study, source="server", state="done", finished_at=timezone.now())
    removal = Removal.objects.create(
        what="import",
        study_number=study.pk,
        study_slug=study.slug,
        study_title=study.title,
        asked_by=owner,
        import_number=done.pk,
    )
    checked = factories.study()
    checked.memberships.create(person=owner, role="admin")
    lot, reviewer = factories.lot_in_review(checked), factories.reviewer(checked)
    stopped = factories.member(checked, "annotator")
    suspended = suspending.suspend(stopped, checked, suspending.Choice("all"), why="Random clicks.", actor=owner)
    factories.pause(checked, stopped)
    figuring.asked(checked, "annotators")
    drawn = files.ask(checked, lot_charts.of_lot(lot, 9), "svg", actor=owner)
    code = pseudonym(checked, lot.items.get().assignment.person_id)
    draft, closed = (preparing.make(checked, topic, actor=owner) for topic in ("Next", "Last"))
    factories.closed_calibration(closed, reviewer, factories.reviewer(checked))
    asking, asker, qualifying, version = qualified.half_way()
    released, _later = (releasing.make(checked, filter=Filter(decisions=("in_review", "none"))) for _ in range(2))
    example = factories.study(slug="example", is_simulated=True)
    example.memberships.create(person=owner, role="admin")
    told = factories.delivery(factories.endpoint(checked))
    promoted = registering.promoted(released, owner, number=2)
    trained = runs.done(released, owner)
    in_release = released.items.first().annotation.assignment.pair.public_id
    reported = quarantine.report(factories.pair(study), ["video_0"], by=annotator)[0]
    return {
        "second factor": safety.get(reverse("accounts:second_factor")),
        "another second factor": safety.get(reverse("accounts:second_factor_new")),
        "first second factor": client(annotator).get(reverse("accounts:second_factor_new")),
        "backup codes": safety.post(reverse("accounts:second_factor_backup_codes")),
        "reports": safety.get(reverse("safety:reports")),
        "report": safety.get(reverse("safety:report", args=[reported.pk])),
        "reports of one code": safety.get(reverse("safety:reporter", args=[annotator.reporter.code])),
        "safety officers": client(factories.person(is_superuser=True)).get(reverse("safety:officers")),
        "reported video": safety.post(reverse("safety:view", args=[reported.pk])),
        "sign in": client().get(reverse("accounts:sign_in")),
        "password": client(annotator).get(reverse("accounts:password")),
        "tokens": client(owner).get(reverse("accounts:tokens")),
        "everybody's tokens": client(owner).get(reverse("accounts:all_tokens")),
        "revoking a token": client(owner).get(reverse("accounts:revoke_token", args=[token.public_id])),
        "tokens of the study": client(owner).get(reverse("studies:tokens", args=[study.slug])),
        "resetting a password": client(owner).get(reverse("accounts:reset_password")),
        "home": client(several).get(reverse("home")),
        "home of nobody": client(factories.person()).get(reverse("home")),
        "workspace": client(annotator).get(reverse("annotation:workspace", args=[study.slug])),
        "my work": client(annotator).get(reverse("answers:my_work", args=[study.slug])),
        "consent": client(annotator).get(reverse("consent:page", args=[study.slug])),
        "preferences": client(annotator).get(reverse("accounts:viewing")),
        "wellbeing": client(contact).get(reverse("consent:wellbeing", args=[study.slug])),
        "wellbeing of one": client(contact).get(reverse("consent:wellbeing_person", args=[study.slug, annotator.pk])),
        "exposure": client(researcher).get(reverse("consent:exposure", args=[study.slug])),
        "imports": client(researcher).get(reverse("importing:imports", args=[study.slug])),
        "new import": client(researcher).get(reverse("importing:new", args=[study.slug])),
        "import": client(researcher).get(reverse("importing:import", args=[study.slug, collecting.public_id])),
        **{
            name: client(researcher).get(reverse(name, args=[study.slug, *arguments]))
            for name, *arguments in (
                *(
                    ["catalog:prompts"],
                    ["catalog:videos"],
                    ["catalog:pairs"],
                    ["catalog:labels"],
                    ["catalog:prompt", prompt.public_id],
                ),
                *(["catalog:video", shown.video_0.public_id], ["catalog:pair", shown.public_id]),
                *(
                    ["studies:edit_guideline"],
                    ["studies:state"],
                    ["studies:close"],
                    ["studies:consent"],
                    ["studies:jobs"],
                    ["catalog:licences"],
                ),
                *(["studies:settings", "protocol"], ["studies:people"], ["studies:person", annotator.pk]),
                *(["catalog:batches"], ["catalog:change_pairs"], ["studies:jobs"]),
            )
        },
        "people's progress": client(researcher).get(reverse("answers:people_progress", args=[study.slug])),
        "one person's progress": client(researcher).get(
            reverse("answers:person_progress", args=[study.slug, annotator.pk])
        ),
        "answers": client(researcher).get(reverse("answers:list", args=[study.slug])),
        "trial": client(researcher).get(reverse("trial:page", args=[study.slug])),
        "settings file": client(researcher).get(reverse("studies:settings_file", args=[study.slug])),
        "holding a list": client(researcher).get(reverse("catalog:hold_listed", args=[study.slug])),
        "undoing an import": client(researcher).get(reverse("removal:undo", args=[study.slug, done.public_id])),
        "deleting a study": client(owner).get(reverse("removal:delete_study", args=[study.slug])),
        "removal": client(owner).get(reverse("removal:removal", args=[removal.pk])),
        "reference of the API": client().get(reverse("api_reference")),
        "new password": unchecked.post(reverse("studies:password", args=[study.slug, forgetful.pk])),
        "new study": client(researcher).get(reverse("studies:new")),
        "dashboard": client(researcher).get(reverse("figures:dashboard", args=[study.slug])),
        **{
            f"{what} of a lot": client(owner).get(reverse(f"qc:{name}", args=[checked.slug, lot.number]))
            for what, name in (("page", "lot"), ("answers", "lot_answers"), ("decision", "decide_lot"))
        },
        "own qualification": client(annotator).get(reverse("qualification:own", args=[study.slug])),
        "work to qualify": client(qualifying).get(reverse("qualification:work", args=[asking.slug, "training"])),
        **{
            f"qualification: {name}": client(asker).get(reverse(f"qualification:{name}", args=[asking.slug]))
            for name in ("overview", "people", "questions", "answers")
        },
        "qualification of a person": client(asker).get(
            reverse("qualification:person", args=[asking.slug, qualifying.pk])
        ),
        "version of a test": client(asker).get(reverse("qualification:set", args=[asking.slug, "test", 2])),
        "expected answers": client(asker).get(
            reverse("qualification:item", args=[asking.slug, "test", 2, qualified.item(version).pk])
        ),
        "releases": client(owner).get(reverse("releases:list", args=[checked.slug])),
        "example": client(owner).get(reverse("demo:example", args=[example.slug])),
        "new release": client(owner).get(reverse("releases:new", args=[checked.slug])),
        "withdrawing": client(owner).get(reverse("releases:withdraw", args=[checked.slug])),
        "records": client(owner).get(reverse("release_records:records", args=[checked.slug, released.number])),
        "a record": client(owner).get(
            reverse("release_records:record", args=[checked.slug, released.number, in_release])
        ),
        "compared": client(owner).get(reverse("release_records:compare", args=[checked.slug, released.number])),
        "release": client(owner).get(reverse("releases:release", args=[checked.slug, released.number])),
        "training runs": client(owner).get(reverse("training:list", args=[checked.slug])),
        "new training run": client(owner).get(reverse("training:new", args=[checked.slug])),
        "training rules": client(owner).get(reverse("training:rules", args=[checked.slug])),
        "new training rule": client(owner).get(reverse("training:new_rule", args=[checked.slug])),
        "training rule": client(owner).get(
            reverse("training:rule", args=[checked.slug, runs.rule_of(checked, owner).pk])
        ),
        "training run": client(owner).get(reverse("training:run", args=[checked.slug, trained.pk])),
        "data card": client(owner).get(reverse("release_card:card", args=[checked.slug, released.number])),
        "figures of a release": client(owner).get(
            reverse("release_card:figures", args=[checked.slug, released.number])
        ),
        "models": client(owner).get(reverse("models:list", args=[checked.slug])),
        "generators compared": client(owner).get(reverse("models:generators", args=[checked.slug])),
        "family of models": client(owner).get(reverse("models:family", args=[checked.slug, promoted.family_id])),
        "model version": client(owner).get(reverse("models:version", args=[checked.slug, promoted.family_id, 2])),
        "lots": client(owner).get(reverse("qc:lots", args=[checked.slug])),
        "reviewers": client(owner).get(reverse("qc:reviewers", args=[checked.slug])),
        "new lot": client(owner).get(reverse("qc:new_lot", args=[checked.slug])),
        "calibrations": client(owner).get(reverse("calibration:calibrations", args=[checked.slug])),
        "calibration": client(owner).get(reverse("calibration:calibration", args=[checked.slug, draft.number])),
        "results of a calibration": client(reviewer).get(
            reverse("calibration:calibration", args=[checked.slug, closed.number])
        ),
        "judging a calibration": client(reviewer).get(
            reverse("calibration:calibrate", args=[checked.slug, closed.number])
        ),
        "quality": client(reviewer).get(reverse("figures:quality", args=[checked.slug])),
        **{
            f"list of {name}": client(owner).get(reverse(f"figures:{name}", args=[checked.slug]))
            for name in ("waiting", "defects", "decided", "reviewed")
        },
        "reviews": client(reviewer).get(reverse("qc:reviews", args=[checked.slug])),
        "review": client(reviewer).get(reverse("qc:review", args=[checked.slug, lot.number, "secondary"])),
        "findings": client(researcher).get(reverse("findings:findings", args=[study.slug])),
        "controls": client(researcher).get(reverse("controls:controls", args=[study.slug])),
        "results on controls": client(researcher).get(reverse("controls:control_people", args=[study.slug])),
        "single results on controls": client(researcher).get(reverse("controls:control_results", args=[study.slug])),
        "rules": client(researcher).get(reverse("findings:rules", args=[study.slug])),
        "suspend": client(researcher).get(
            reverse("suspensions:suspend", args=[study.slug, annotator.pk]), {"what": "all"}
        ),
        "suspensions": client(owner).get(reverse("suspensions:suspensions", args=[checked.slug])),
        "suspension": client(owner).get(reverse("suspensions:suspension", args=[checked.slug, suspended.pk])),
        "pauses": client(owner).get(reverse("suspensions:pauses", args=[checked.slug])),
        "webhooks": client(owner).get(reverse("webhooks:endpoints", args=[checked.slug])),
        **{
            name: client(owner).get(reverse(f"webhooks:{name}", args=[checked.slug, told.endpoint_id]))
            for name in ("endpoint", "delete_endpoint")
        },
        "pause rules": client(owner).get(reverse("suspensions:pause_rules", args=[checked.slug])),
        "agreement": client(researcher).get(reverse("figures:agreement", args=[study.slug])),
        "pairs behind agreement": client(researcher).get(reverse("figures:agreement_pairs", args=[study.slug])),
        "chart as a file": client(owner).get(reverse("charts:chart_file", args=[checked.slug, drawn.pk])),
        "annotators": client(owner).get(reverse("figures:annotators", args=[checked.slug])),
        **{
            name: client(owner).get(reverse(f"figures:{name}", args=[checked.slug, code]))
            for name in ("annotator", "annotator_answers")
        },
        "guideline": client(annotator).get(reverse("studies:guideline", args=[study.slug])),
        "not found": client().get("/nowhere"),
        "not found, signed in": client(annotator).get("/studies/no-such-study/"),
        "forbidden": client(annotator).get(reverse("figures:dashboard", args=[study.slug])),
        "stale form": client(annotator).post(reverse("accounts:sign_out")),
    }


#: Addresses that respond with something other than a page.
NO_PAGES = {
    *(
        "healthz",
        "healthz_workers",
        "accounts:sign_in_in_place",
        "accounts:sign_out",
        "accounts:language",
        "consent:withdraw",
    ),
    *("accounts:second_factor_picture", "safety:video", "safety:referral", "safety:legal_hold", "safety:release"),
    *("safety:confirm", "safety:dismiss", "safety:release_progress", "safety:cancel_release"),
    *("importing:progress", "importing:begin", "importing:cancel", "importing:again"),
    *("importing:bad_rows_csv", "importing:bad_rows_jsonl", "removal:progress", "removal:cancel"),
    *("answers:list_csv", "answers:people_csv", "answers:people_days_csv"),
    *("studies:settings_download", "studies:settings_schema"),
    *(
        "catalog:prompts_csv",
        "catalog:videos_csv",
        "catalog:pairs_csv",
        "catalog:labels_csv",
        "catalog:hold_pair",
        "catalog:hold_pairs",
    ),
    *("studies:preview_guideline", "studies:invite", "studies:numbered", "studies:roles"),
    *("studies:withdraw_invitation", "studies:answer_invitation", "studies:dismiss_notice"),
    *("catalog:change", "catalog:cancel_change", "catalog:resume_change", "catalog:media", "catalog:retry_media"),
    *("qualification:begin", "qualification:change_set", "qualification:decide", "qualification:people_csv"),
    *("qualification:questions_csv", "qualification:answers_csv"),
    "release_card:figure_csv",
    *("models:versions_csv", "models:generators_csv", "models:decide", "models:score", "models:compare_again"),
    *("releases:list_csv", "releases:funnel_csv", "releases:withdrawals_csv", "releases:progress", "releases:cancel"),
    "releases:automatic",
    "release_formats:left_out_csv",
    *("training:progress", "training:curve", "training:cancel", "training:again", "training:from_release"),
    *("training:switch_rule", "training:delete_rule"),
    *("release_records:compare_csv", "release_records:records_csv"),
    *("qc:start_lot", "qc:dissolve_lot", "qc:draw_lot", "qc:reopen_lot", "qc:reply"),
    *(
        "suspensions:suspension_csv",
        "suspensions:suspension_progress",
        "suspensions:lift_suspension",
        "suspensions:cancel_suspension",
    ),
    *("webhooks:replace_secret", "webhooks:end_old_secrets", "webhooks:switch_endpoint", "webhooks:test_endpoint"),
    "webhooks:send_again",
    *("suspensions:resume_suspension", "suspensions:pauses_csv", "suspensions:end_pause"),
    *("figures:agreement_csv", "figures:agreement_pairs_csv", "figures:compute_agreement", "figures:annotators_csv"),
    *("figures:compute_annotators", "figures:figures_job", "figures:cancel_figures"),
    *(
        "qc:lot_answers_csv",
        "qc:reviewers_csv",
        "calibration:change_calibration",
        "calibration:calibration_csv",
        "findings:dismiss_findings",
    ),
    *(
        "figures:quality_csv",
        "figures:recount_quality",
        "figures:waiting_csv",
        "figures:defects_csv",
        "figures:decided_csv",
        "figures:reviewed_csv",
    ),
    *("charts:draw_chart", "charts:chart_progress", "charts:chart_download"),
    *(
        "findings:findings_csv",
        "findings:finding",
        "findings:run_rules",
        "findings:findings_run",
        "findings:cancel_findings_run",
    ),
    *(
        "controls:controls_csv",
        "controls:control_people_csv",
        "controls:control_results_csv",
        "controls:make_controls",
        "controls:withdraw_control",
    ),
    *("controls:controls_run", "controls:cancel_controls_run"),
}


def test_every_page_is_checked(pages):
    names = {name for name, _ in endpoints(get_resolver()) if not name.startswith(("api:", "media:"))}
    looked_at = {resolve(response.request["PATH_INFO"]).view_name for response in pages.values() if found(response)}
    assert looked_at >= names - NO_PAGES


def found(response):
    return response.status_code == 200


STATUS = {"not found": 404, "not found, signed in": 404, "forbidden": 403, "stale form": 403}


def test_every_page_has_the_policy_and_nothing_inline(pages):
    for name, response in pages.items():
        assert response.status_code == STATUS.get(name, 200), name
        directives = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
        assert directives == POLICY, name
        inline = Inline()
        inline.feed(response.content.decode())
        assert inline.found == [], name


def test_every_page_says_what_it_is_and_in_which_language(pages):
    for name, response in pages.items():
        page = response.content.decode()
        assert '<html lang="en"' in page, name
        assert "<title>" in page, name
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert response["X-Frame-Options"] == "DENY", name


def test_an_error_of_ours_is_a_page_with_the_policy(monkeypatch, researcher, study):
    def fail(study):
        raise RuntimeError("on purpose")

    monkeypatch.setattr("figures.views.study_counts.counts_of", fail)  # the only way to make the product fail
    client = Client(raise_request_exception=False)
    client.force_login(researcher)
    response = client.get(reverse("figures:dashboard", args=[study.slug]))
    assert response.status_code == 500
    assert "Content-Security-Policy" in response
    assert b"on purpose" not in response.content


def test_json_may_load_and_run_nothing(annotator):
    client = Client()
    client.force_login(annotator)
    response = client.get("/api/v1/nowhere/")
    assert response["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_an_error_below_the_api_is_json(annotator):
    client = Client()
    client.force_login(annotator)
    response = client.get("/api/v1/nowhere/")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_health_is_open_and_says_whether_the_database_replies():
    response = Client().get("/healthz")
    assert response.json() == {"ok": True, "database": True}
