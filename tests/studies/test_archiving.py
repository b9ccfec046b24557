"""An archived study is hidden from lists, can be exported and brought back, and does not run meanwhile."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from diptych.refusals import Refused
from studies.archiving import archive, bring_back
from studies.state_changes import change_state
from tests import factories

pytestmark = pytest.mark.django_db


def listed(client, query=""):
    return [one["slug"] for one in client.get(f"/api/v1/studies/{query}").json()["studies"]]


@pytest.mark.long
def test_an_archived_study_is_paused_hidden_exportable_and_comes_back(study, researcher, api, browser_client):
    pages, programs = browser_client(researcher), api(researcher)
    where = f"/studies/{study.slug}/settings/"
    assert pages.post(where, {"step": "archive"}, follow=True).status_code == 200
    study.refresh_from_db()
    assert (study.state, study.archived_at is not None) == ("paused", True)
    assert (listed(programs), listed(programs, "?archived=true")) == ([], [study.slug])
    home = pages.get("/").content.decode()
    assert study.title not in home
    assert "1 archived study" in home
    assert study.title in pages.get("/?archived").content.decode()
    assert programs.get(f"/api/v1/studies/{study.slug}/annotations.jsonl").status_code == 200
    with pytest.raises(Refused, match="Unarchive it"):
        change_state(study, "resume", actor=researcher)
    assert pages.post(where, {"step": "bring_back"}, follow=True).status_code == 200
    assert listed(programs) == [study.slug]
    assert change_state(study, "resume", actor=researcher)
    steps = list(study.state_changes.order_by("pk").values_list("step", flat=True))
    assert steps == ["paused", "archived", "brought_back", "resumed"]
    actions = AuditEvent.objects.filter(study_slug=study.slug, actor=researcher).values_list("action", flat=True)
    assert {"study.archived", "study.brought_back"} <= set(actions)


@pytest.mark.long
def test_twice_is_harmless_and_a_closed_study_stays_closed(study, researcher):
    change_state(study, "close", actor=researcher)
    assert archive(study, actor=researcher)
    assert not archive(study, actor=researcher)
    assert bring_back(study, actor=researcher)
    assert not bring_back(study, actor=researcher)
    assert study.state == "closed"


@pytest.mark.long
def test_programs_and_the_command_do_the_same(study, researcher, api):
    programs = api(researcher)
    assert programs.post(f"/api/v1/studies/{study.slug}/archive/").json()["archived_at"]
    assert programs.post(f"/api/v1/studies/{study.slug}/bring-back/").json()["archived_at"] is None
    out = io.StringIO()
    call_command("archive_study", study.slug, stdout=out)
    study.refresh_from_db()
    assert study.archived_at is not None
    call_command("archive_study", study.slug, "--bring-back", stdout=out)
    study.refresh_from_db()
    assert study.archived_at is None
    with pytest.raises(CommandError, match="no study"):
        call_command("archive_study", "nothing")


@pytest.mark.long
def test_annotators_do_not_archive(study, annotator, api):
    assert api(annotator).post(f"/api/v1/studies/{study.slug}/archive/").status_code == 403
    assert factories.study().archived_at is None
