"""Pairs that an adjudicator decided about are offered for trainings and tests, with what is right on them."""

import pytest

from qc import qualification_pairs, verdicts
from qc.verdicts import Opinion
from qualification import choosing
from tests.qc.test_verdicts import Checked

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_a_decided_pair_is_offered_with_the_settled_answer():
    drawn = Checked(1, drawn=True)
    drawn.spot()
    drawn.confirm(None)
    assert qualification_pairs.adjudicated(drawn.study).pairs == []
    review = drawn.lease("adjudicate", drawn.adjudicator)
    (waiting,) = verdicts.waiting_for([review])
    verdicts.give_opinions(review, drawn.adjudicator, [Opinion(waiting.pk, True)])
    (offer,) = choosing.offered(drawn.study)
    assert offer.pairs == [review.pair]
    (known,) = offer.known[review.pair_id]
    assert (known.row, list(known.accepted)) == (waiting.row, [waiting.own])
