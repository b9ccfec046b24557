"""Holding and releasing all pairs of a filtered list, at once or as a job."""

import pytest

from accounts.models import AuditEvent
from catalog.library import holding
from catalog.models import HoldChange, Pair, PairsChange
from catalog.models.pairs import QUARANTINED
from catalog.pair_changes import orders, work
from diptych.refusals import Refused
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pairs(study):
    """Five pairs of model-x and three of others; one of each is already held, and one is in quarantine."""
    made = []
    for number in range(8):
        about = factories.prompt(study)
        video = factories.video(about, generator="model-x" if number < 5 else "model-y")
        held = {0: "by somebody", 1: QUARANTINED, 7: "by somebody"}.get(number, "")
        made.append(factories.pair(study, prompt=about, video_0=video, held=held))
    return made


def held(study):
    return set(Pair.objects.filter(study=study).exclude(held="").values_list("held", flat=True))


def test_the_whole_list_is_held_and_released_and_nothing_else(study, researcher, pairs):
    change = orders.hold_listed(study, {"generator": "model-x"}, reason=" wrong  model ", actor=researcher)
    assert (change.state, change.changed, change.steps) == ("done", 3, 4)
    assert list(Pair.objects.filter(held="wrong model")) == pairs[2:5]
    assert HoldChange.objects.filter(changed_by=researcher, after="wrong model").count() == 3
    event = AuditEvent.objects.get(action="pairs.held")
    assert (event.after["reason"], event.after["generator"], event.after["pairs"]) == ("wrong model", "model-x", 3)
    released = orders.release_listed(study, {"reason": "wrong"}, actor=researcher)
    assert (released.state, released.changed) == ("done", 3)
    assert held(study) == {"by somebody", QUARANTINED}


def test_a_long_list_is_a_job_in_steps_that_goes_on_after_a_kill(study, researcher, pairs, monkeypatch):
    monkeypatch.setattr(orders, "RIGHT_AWAY", 1)
    monkeypatch.setattr(work, "A_STEP", 2)
    change = orders.hold_listed(study, {}, reason="all of them", actor=researcher)
    assert (change.state, held(study)) == ("waiting", {"by somebody", QUARANTINED})
    with pytest.raises(Refused):
        orders.release_listed(study, {}, actor=researcher)
    real, calls = holding.change, []

    def dies(*arguments, **values):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **values)

    monkeypatch.setattr(holding, "change", dies)
    with pytest.raises(KeyboardInterrupt):
        work.run(change.pk)
    PairsChange.objects.update(heartbeat_at="2026-01-01T00:00Z")
    late = factories.pair(study)
    work.run(change.pk)
    change.refresh_from_db()
    assert (change.state, change.changed) == ("done", 5)
    assert Pair.objects.filter(held="all of them").count() == 5
    assert Pair.objects.get(pk=late.pk).held == ""  # it was added after the change was started


@pytest.mark.parametrize(
    ("filters", "reason"), [({}, ""), ({}, QUARANTINED), ({"generator": "nobody"}, "x"), ({"batch": "x"}, "x")]
)
def test_what_cannot_be_held_is_refused(study, researcher, pairs, filters, reason):
    with pytest.raises(Refused):
        orders.hold_listed(study, filters, reason=reason, actor=researcher)
    assert held(study) == {"by somebody", QUARANTINED}
    assert not PairsChange.objects.exists()


@pytest.mark.long
def test_the_page_says_how_many_and_leads_back_to_the_list(study, researcher, pairs, browser_client):
    client = browser_client(researcher)
    address = f"/studies/{study.slug}/library/pairs/"
    assert "hold-all/?generator=model-x" in client.get(f"{address}?generator=model-x").content.decode()
    shown = client.get(f"{address}hold-all/?generator=model-x").content.decode()
    assert "Hold 3 pairs" in shown
    assert "Release 1 pair" in shown
    wrong = client.post(f"{address}hold-all/?generator=model-x", {"act": "hold", "reason": " "})
    assert (wrong.status_code, "Give a reason" in wrong.content.decode()) == (400, True)
    done = client.post(f"{address}hold-all/?generator=model-x", {"act": "hold", "reason": "wrong"}, follow=True)
    assert done.redirect_chain == [(f"{address}?generator=model-x", 302)]
    assert "3 pairs were changed" in done.content.decode()
    assert client.get(f"/studies/{study.slug}/jobs/").status_code == 200
