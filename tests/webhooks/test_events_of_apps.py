"""The apps send the events that they declare, in the transaction of what happened."""

import pytest

from annotation.models import Annotation
from diptych.refusals import Refused
from qc.decisions import Wanted, decide, reopen
from releases import making
from releases.withdrawing import subject, withdraw
from tests.qc.reviewed import answered, in_review, judge
from tests.releases import releasing
from webhooks import endpoints, event_types
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def all_events(study, admin):
    endpoints.create(study, address="https://example.org/", events=event_types.choices(), actor=admin)


def events():
    return [(one.type, one.data) for one in Event.objects.order_by("pk")]


def test_decisions_about_a_lot(study, researcher, all_events):
    answered(study, pairs=10)
    lot = in_review(study, researcher)
    with pytest.raises(Refused):
        decide(lot, Wanted("accepted", "Fine."), actor=researcher)
    assert events() == []
    judge(lot)
    about = {"study": study.slug, "lot": lot.number}
    assert decide(lot, Wanted("accepted", "Fine."), actor=researcher)
    assert not decide(lot, Wanted("accepted", "Fine."), actor=researcher)
    assert events() == [("lot.accepted", about)]
    assert reopen(lot, reason="A mistake.", actor=researcher)
    decide(lot, Wanted("returned", "Not fine.", ask_again="all", against_plan=True), actor=researcher)
    assert events()[1:] == [("lot.reopened", about), ("lot.returned", about)]


@pytest.mark.long
def test_releases(study, all_events):
    first, second = releasing.answered(study, pairs=2)
    releasing.accepted(first, second)
    made = releasing.make(study)
    about = {"study": study.slug, "release": made.number, "release_id": made.pk}
    assert events() == [("release.ready", about)]
    for one in (first, second):  # the second withdrawal changes nothing for the release
        key = str(Annotation.objects.get(assignment=one).pk)
        withdraw(study, subject(study, "answer", key), reason="Asked", actor=None)
    assert events()[1:] == [("release.withdrawn", about)]


def test_a_release_that_fails(study, all_events, monkeypatch):
    releasing.accepted(*releasing.answered(study))

    def fails(*_arguments):
        raise Refused("No.")

    monkeypatch.setattr(making, "write_files", fails)
    made = releasing.make(study)
    assert made.state == "failed"
    assert [kind for kind, _data in events()] == ["release.failed"]


def test_a_cancelled_release_is_no_event(study, researcher, all_events):
    releasing.accepted(*releasing.answered(study))
    making.cancel(releasing.ask(study, by=researcher), actor=researcher)
    assert events() == []
