"""`Client` against a real server: when it sends a request again, what it says, and what it never does."""

import threading
import time

import pytest
from django.utils import timezone

from accounts.tokens import issue_token
from annotation.models import Annotation
from catalog.models import Batch
from diptych_client.client import Client
from diptych_client.errors import ClientError
from releases.models import Release, ReleaseFamily
from tests import factories
from tests.client.running import line
from tests.holding import elsewhere
from tests.releases import material

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def annotating(annotator, study, server):
    """Return a client of an annotator, whose study has pairs."""
    factories.pairs(study, 3)
    with Client(server, issue_token(annotator, scopes=["annotate"])) as client:
        yield client


def lock_of(assignment_id):
    return elsewhere(f"SELECT id FROM annotation_assignment WHERE id = {assignment_id} FOR UPDATE")


@pytest.mark.long
class TestABusyServer:
    def test_a_request_is_sent_again_after_the_time_that_the_server_names(self, annotating, study):
        leased = annotating.lease(study.slug)["current"]
        began = time.monotonic()
        with lock_of(leased["id"]) as holder:
            threading.Timer(2.5, lambda: holder.rollback()).start()
            stored = annotating.submit(leased["id"], factories.body())
        assert time.monotonic() - began > 2 + 2  # the wait for the lock, and Retry-After
        assert stored["annotation"]["revision"] == Annotation.objects.count() == 1

    def test_after_its_patience_the_client_says_when_to_try_again(self, annotating, study):
        leased = annotating.lease(study.slug)["current"]
        annotating.connection.patience_s = 1
        with lock_of(leased["id"]), pytest.raises(ClientError, match="try again in 2 seconds") as refusal:
            annotating.submit(leased["id"], factories.body())
        assert (refusal.value.status, refusal.value.code) == (503, "locked")


@pytest.mark.long
class TestABrokenLine:
    def test_what_can_be_repeated_is_sent_again_and_stored_once(self, annotating, study, server, annotator):
        with line(server) as breaking, Client(breaking.address, issue_token(annotator, scopes=["annotate"])) as client:
            leased = client.lease(study.slug)["current"]
            breaking.breaks_after = 10
            threading.Timer(1, lambda: setattr(breaking, "breaks_after", None)).start()
            stored = client.submit(leased["id"], factories.body())
        assert stored["annotation"]["counted"]
        assert Annotation.objects.count() == 1
        assert breaking.connections > 2

    def test_what_cannot_be_repeated_is_sent_once(self, study, server, token):
        material.answered(study, 1, split="train")
        wanted = {"licence": "CC-BY-4.0", "licence_reason": "Checked", "filter": {"decisions": ["none"]}}
        with line(server) as breaking, Client(breaking.address, token) as client:
            client.studies()
            breaking.breaks_after = 10
            with pytest.raises(ClientError, match=r"connection .* broke") as broken:
                client.make_release(study.slug, wanted)
        assert broken.value.code == "unreachable"
        assert Release.objects.count() == 1

    def test_a_server_that_never_responded_is_not_waited_for(self, token):
        began = time.monotonic()
        with Client("http://127.0.0.1:9", token) as client, pytest.raises(ClientError, match="cannot be reached"):
            client.studies()
        assert time.monotonic() - began < 5


@pytest.mark.long
def test_a_refusal_names_the_wrong_fields(annotating, study):
    leased = annotating.lease(study.slug)["current"]
    answers = factories.body() | {"helpfulness": {}}
    with pytest.raises(ClientError, match=r"helpfulness\.overall: This field is required\.") as refusal:
        annotating.submit(leased["id"], answers)
    assert (refusal.value.status, refusal.value.code) == (400, "invalid")
    assert set(refusal.value.fields) == {"helpfulness"}


@pytest.mark.long
def test_names_are_quoted_in_addresses(annotating):
    for name in ("../studies", "a/b", "a?archived=true", "a b", "%2e%2e"):
        with pytest.raises(ClientError) as refusal:
            annotating.consent(name)
        assert refusal.value.status == 404


@pytest.mark.long
def test_lists_come_page_by_page(study, server, token):
    """More releases than one page has, all of them cancelled."""
    about = {"state": "cancelled", "finished_at": timezone.now(), "licence": "MIT", "filter": {}, "formats": []}
    for number in range(1, 202):
        family = ReleaseFamily.objects.create(study=study)
        Release.objects.create(study=study, number=number, family=family, **about)
    with Client(server, token) as client:
        assert [one["number"] for one in client.releases(study.slug)] == list(range(201, 0, -1))
        assert client.find_release(study.slug, 1)["number"] == 1
        with pytest.raises(ClientError, match="no release that can be downloaded"):
            client.find_release(study.slug)


def work_through(client, lot_id, kind):
    """Review every answer that waits for this kind of review, and call each one fine."""
    review = client.lease_review(lot_id, kind)["current"]
    number = 0
    while review:
        if review["judging"] is None:
            review = client.answer_review(review["id"], factories.body())
        review = client.submit_review(review["id"], {"verdicts": []})["current"]
        number += 1
    return number


@pytest.mark.long
def test_a_program_reviews_a_lot_and_accepts_it(study, server):
    factories.pairs(study, 3)
    annotator = factories.member(study, "annotator")
    for _pair in range(3):
        factories.answer(annotator, study)
    reviewer, researcher = factories.reviewer(study), factories.reviewer(study, "researcher")
    with Client(server, issue_token(researcher, scopes=["read", "manage", "review"])) as decider:
        [number] = Batch.objects.filter(study=study).values_list("number", flat=True)
        lot = decider.start_review(decider.make_lot(study.slug, [number])["id"])
        assert [one["state"] for one in decider.lots(study.slug)] == ["in_review"]
        with Client(server, issue_token(reviewer, scopes=["review"])) as client:
            first = client.lease_review(lot["id"], "secondary")["current"]
            client.release_review(first["id"])
            assert work_through(client, lot["id"], "secondary") == 3
        assert decider.lot_quality(lot["id"])["secondary_left"] == 0
        decider.draw_spot_check(lot["id"])
        assert work_through(decider, lot["id"], "spot") > 0
        decided = decider.decide(lot["id"], {"outcome": "accepted", "reason": "No defects"})
    assert decided["lot"]["state"] == "accepted"
    assert decided["quality"]
