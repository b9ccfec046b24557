"""A person's own active time of today, as the workspace shows it."""

from datetime import timedelta

import pytest

from annotation.models import Annotation, Assignment
from annotation.progress import active_today_ms
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def answers(study, annotator):
    """Two pairs answered today, with the active time that was credited for each."""
    factories.pairs(study, 3)
    given = [factories.answer(annotator, study) for _ in range(2)]
    return [Annotation.objects.get(assignment=assignment) for assignment in given]


def test_what_was_answered_today_is_summed(study, annotator, answers):
    assert active_today_ms(study, annotator.pk) == sum(answer.active_ms for answer in answers)


def test_yesterday_is_not_today(study, annotator, answers):
    earlier = Assignment.objects.filter(pk=answers[0].assignment_id)
    earlier.update(ended_at=earlier.get().ended_at - timedelta(days=1))
    assert active_today_ms(study, annotator.pk) == answers[1].active_ms


def test_neither_other_people_nor_other_studies_count(study, annotator, answers):
    assert active_today_ms(study, factories.member(study, "annotator").pk) == 0
    assert active_today_ms(factories.study(), annotator.pk) == 0
