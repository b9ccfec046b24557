"""Waiting answers are assigned to reviewers: theirs come first, nobody else gets them, and never in two roles."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from consent import agreements
from diptych.refusals import BadInput, Refused
from qc import assigning, reviewing
from qc.models import AssignedReview, FrameItem, Lot
from qc.waiting import Wanted
from studies.members import revoke
from tests import factories

pytestmark = pytest.mark.django_db

SECONDARY = Wanted("secondary")


@pytest.fixture
def lot(study):
    return factories.lot_in_review(study, 4)


@pytest.fixture
def kim(study):
    return factories.reviewer(study)


@pytest.fixture
def lee(study):
    return factories.reviewer(study)


def assign(study, to, *items, wanted=SECONDARY, actor=None, **about):
    about = {"days": 3} | about
    return assigning.assign(study, wanted, to, actor=actor or factories.person(), items=[i.pk for i in items], **about)


def leased(person, lot, kind="secondary"):
    """Lease one sitting after the other, and return the items in that order."""
    found = []
    while reviews := reviewing.lease(person, lot, kind).reviews:
        found += [review.item_id for review in reviews]
        reviewing.skip(reviews[0], person, reason="cannot_judge")
    return found


@pytest.mark.long
def test_the_reviewer_gets_theirs_first_and_nobody_else_gets_them(study, lot, kim, lee):
    items = list(lot.items.order_by("place"))
    assert assign(study, kim, items[3]).assigned == 1
    assert items[3].pk not in leased(lee, lot)
    assert leased(kim, lot)[0] == items[3].pk


def test_an_assignment_ends_and_then_anybody_gets_the_answer(study, lot, kim, lee):
    item = lot.items.order_by("place").first()
    assign(study, kim, item)
    past = timezone.now() - timedelta(days=1)
    AssignedReview.objects.update(assigned_at=past - timedelta(days=1), until=past)
    assert leased(lee, lot)[0] == item.pk


def test_the_longest_waiting_are_assigned_up_to_a_number_and_answers_of_a_pair_stay_together(study, kim):
    people = [factories.member(study, "annotator") for _ in range(2)]
    factories.pairs(study, 1, wanted=2)
    factories.pairs(study, 2)
    lot = factories.lot_in_review(study, 4, people=people, has_pairs=True)
    assert FrameItem.objects.filter(lot=lot).count() == 4
    done = assign(study, kim, most=1)
    together = AssignedReview.objects.values_list("item__assignment__pair", flat=True)
    assert len(set(together)) == 1
    assert done.assigned == FrameItem.objects.filter(assignment__pair=together[0]).count()


def test_whoever_gave_the_answer_or_has_another_role_is_left_out(study, kim):
    both = factories.member(study, "annotator")
    both.memberships.create(study=study, role="reviewer")
    lot = factories.lot_in_review(study, 2, people=[both])
    assert assign(study, both) == assigning.Done(0, 2)
    review = reviewing.lease(kim, lot, "look").reviews[0]
    reviewing.skip(review, kim, reason="cannot_judge")  # they saw the answer
    assert assign(study, kim) == assigning.Done(1, 1)


def test_the_database_refuses_the_annotator_and_people_with_another_role(study, lot, kim):
    item = lot.items.select_related("assignment__person").first()
    later = timezone.now() + timedelta(days=1)
    facts = {"study": study, "lot": lot, "item": item, "kind": "spot", "assigned_by": kim, "until": later}
    with pytest.raises(IntegrityError, match="another role"), transaction.atomic():
        AssignedReview.objects.create(**facts, reviewer=item.assignment.person)
    reviewed = reviewing.lease(kim, lot, "secondary").reviews[0]
    with pytest.raises(IntegrityError, match="another role"), transaction.atomic():
        AssignedReview.objects.create(**facts | {"item": reviewed.item}, reviewer=kim)


def test_a_person_gets_no_answer_in_another_role_than_the_assigned_one(study, lot, kim):
    item = lot.items.order_by("place").first()
    assign(study, kim, item)
    assert item.pk not in leased(kim, lot, "look")


def test_what_somebody_did_not_agree_to_see_is_not_assigned_to_them(study, kim):
    factories.lot_in_review(study, 1, pair={"may_show": ["violence"]})
    agreements.agree(kim, study, categories=["crime"], text="Only this.")
    assert assign(study, kim) == assigning.Done(0, 1)


def test_an_answer_that_somebody_reviews_now_stays_with_them(study, lot, kim, lee):
    now = reviewing.lease(kim, lot, "secondary").reviews[0]
    assert assign(study, lee).assigned == 3
    assert assign(study, lee, now.item) == assigning.Done(0, 1)


def test_assigning_again_replaces_and_is_harmless_twice(study, lot, kim, lee):
    for person in (kim, kim, lee):
        assert assign(study, person).assigned == 4
    assert set(AssignedReview.objects.values_list("reviewer", flat=True)) == {lee.pk}
    assert AuditEvent.objects.filter(action="reviews.assigned").count() == 3


def test_assignments_are_taken_back_once(study, lot, kim, lee):
    items = list(lot.items.all())
    assign(study, kim)
    assert assigning.unassign(study, SECONDARY, actor=lee, items=[items[0].pk]) == 1
    assert assigning.unassign(study, Wanted("secondary", assigned=kim.pk), actor=lee) == 3
    assert assigning.unassign(study, SECONDARY, actor=lee) == 0
    assert AuditEvent.objects.filter(action="reviews.unassigned").count() == 2


def test_who_may_not_do_this_kind_of_review_gets_nothing(study, lot, kim):
    with pytest.raises(Refused, match="may not do this kind"):
        assign(study, kim, wanted=Wanted("spot"))
    with pytest.raises(Refused, match="may not do this kind"):
        assign(study, factories.reviewer(factories.study()))
    with pytest.raises(BadInput, match="number of days"):
        assign(study, kim, days=31)
    with pytest.raises(BadInput, match="at a time"):
        assign(study, kim, most=2001)


def test_a_revoked_role_frees_the_answers(study, lot, kim):
    assign(study, kim)
    revoke(study, kim, "reviewer", actor=factories.member(study, "admin"))
    assert not AssignedReview.objects.exists()


def test_answers_assigned_by_hand_say_nothing_about_strictness(study, lot, kim):
    from figures.overview import strictness
    from qc import verdicts

    assign(study, kim, lot.items.order_by("place").first())
    for _ in range(2):
        verdicts.submit(reviewing.lease(kim, lot, "secondary").reviews[0], kim, [])
    assert [row["judged"] for row in strictness.counts(study)] == [1]


# --- The page --------------------------------------------------------------------------------------------------


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


def post(client, study, query="kind=secondary", **fields):
    return client.post(f"{reverse('figures:waiting', args=[study.slug])}?{query}", fields, follow=True)


@pytest.mark.long
def test_chosen_rows_are_assigned_and_freed_on_the_page(study, lot, kim, client):
    first = lot.items.first()
    response = post(client, study, act="assign", reviewer=kim.username, days=2, most=50, items=[first.pk])
    assert f"1 answer is assigned to {kim.username}." in response.content.decode()
    assert response.redirect_chain[0][0].endswith("?kind=secondary")
    assert AssignedReview.objects.get().item == first
    assert "1 assignment was taken back." in post(client, study, act="free", items=[first.pk]).content.decode()
    text = post(client, study, act="assign", reviewer="nobody", days=2).content.decode()
    assert "Choose one of the options that are offered." in text
    assert "number of days" not in text


@pytest.mark.long
def test_the_reviewer_sees_what_is_assigned_to_them(study, lot, kim, browser_client):
    assign(study, kim, most=2)
    theirs = browser_client(kim)
    assert "2 answers are assigned to you" in theirs.get(reverse("figures:quality", args=[study.slug])).content.decode()
    assert "2 assigned to you" in theirs.get(reverse("qc:reviews", args=[study.slug])).content.decode()


def test_a_program_assigns_and_takes_back(study, lot, kim, researcher, api):
    client, address = api(researcher), reverse("api:assign_reviews", args=[study.slug])
    body = {"kind": "secondary", "lot": lot.number, "reviewer": kim.username, "most": 3}
    assert client.post(address, body, format="json").json() == {"assigned": 3, "left_out": 0}
    assert client.post(address, body | {"reviewer": "nobody"}, format="json").status_code == 400
    assert client.post(address, body | {"lot": 999}, format="json").status_code == 400
    assert client.post(address, body | {"reviewer": None}, format="json").json()["assigned"] == 3


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_people_who_assign_the_same_answers_at_once_leave_one_reviewer(study, lot, kim, lee):
    begin = threading.Barrier(2)
    errors = []

    def run(person):
        begin.wait()
        try:
            assign(study, person, actor=person)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[person]) for person in (kim, lee)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert AssignedReview.objects.count() == 4
    assert Lot.objects.get().pk
