"""Trainings and tests: what a draft may become, and that a published version stays as it is."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError, ProgrammingError

from catalog.models import Pair
from diptych.refusals import BadInput, Refused
from qualification import choosing, sets
from qualification.models import ExpectedAnswer, PairSet, SetItem
from tests import factories
from tests.qualification import world

pytestmark = pytest.mark.django_db


def test_there_is_one_draft_and_the_next_one_starts_with_the_version_in_force(study, researcher):
    first = world.draft(study, "test", factories.pairs(study, 5), researcher)
    assert sets.make_draft(study, "test", actor=researcher) == first
    sets.publish(first, actor=researcher)
    second = sets.make_draft(study, "test", actor=researcher)
    assert (second.number, second.items.count()) == (2, 5)
    copied = world.item(second).expected.get(row="tags_video_1")
    assert (copied.accepted, copied.optional) == (["violence"], ["crime"])


def test_a_draft_is_published_only_when_it_is_whole(study, researcher):
    draft = sets.make_draft(study, "training", actor=researcher)
    assert sets.lacking(draft) == ["Add at least 1 pair."]
    sets.add(draft, factories.pairs(study, 2), actor=researcher)
    sets.expect(world.item(draft, 1), [sets.Expected("helpfulness", ("video_0",))], actor=researcher)
    Pair.objects.filter(pk=world.item(draft, 2).pair_id).update(held="quarantined")
    assert sets.lacking(draft) == [
        "Pair 1: explain each expected answer.",
        "Pair 2 cannot be shown. Remove it.",
        "Pair 2: write at least one expected answer.",
    ]
    with pytest.raises(Refused, match="explain each"):
        sets.publish(draft, actor=researcher)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (sets.Expected("helpfulness", ()), "every answer"),
        (sets.Expected("helpfulness", ("video_0", "video_1")), "every answer"),
        (sets.Expected("helpfulness", ("tie",)), "nobody can give"),
        (sets.Expected("odd", ("video_0",)), "nobody can give"),
        (sets.Expected("tags_video_0", ("video_0",)), "nobody can give"),
        (sets.Expected("tags_video_0", ("crime",), ("crime",)), "either expected or optional"),
        (sets.Expected("tags_video_0", (), (), "x" * 2001), "at most 2000"),
    ],
)
def test_answers_that_judge_nothing_or_that_nobody_can_give_are_refused(study, researcher, expected, words):
    draft = world.draft(study, "training", factories.pairs(study, 1), researcher)
    with pytest.raises(BadInput, match=words):
        sets.expect(world.item(draft), [expected], actor=researcher)
    assert ExpectedAnswer.objects.count() == 3


def test_where_ties_are_allowed_a_question_may_accept_two_of_three(study, researcher):
    study.allow_ties = True
    study.save()
    draft = world.draft(study, "training", factories.pairs(study, 1), researcher)
    sets.expect(world.item(draft), [sets.Expected("helpfulness", ("tie", "video_0"))], actor=researcher)
    assert ExpectedAnswer.objects.get().accepted == ["tie", "video_0"]


def test_a_published_version_stays_as_it_is(study, researcher):
    made = world.published(study, "test", factories.pairs(study, 5), researcher)
    item = world.item(made)
    for refused in (
        lambda: sets.remove(made, item.pk, actor=researcher),
        lambda: sets.move(made, item.pk, earlier=False, actor=researcher),
        lambda: sets.expect(item, [], actor=researcher),
        lambda: sets.add(made, [factories.pair(study)], actor=researcher),
        lambda: sets.publish(made, actor=researcher),
        lambda: sets.discard(made, actor=researcher),
    ):
        with pytest.raises(Refused, match="stays as it is"):
            refused()
    for written in (
        lambda: PairSet.objects.update(number=9),
        lambda: PairSet.objects.filter(pk=made.pk)._raw_delete("default"),
        lambda: SetItem.objects.update(place=9),
        lambda: SetItem.objects.filter(pk=item.pk)._raw_delete("default"),
        lambda: SetItem.objects.create(study=study, set=made, pair=factories.pair(study), place=9),
        lambda: ExpectedAnswer.objects.update(accepted=["video_1"]),
        lambda: ExpectedAnswer.objects.filter(item=item)._raw_delete("default"),
    ):
        with pytest.raises((ProgrammingError, InternalError, IntegrityError)), transaction.atomic():
            written()


@pytest.mark.long
def test_two_people_who_make_a_draft_at_once_get_the_same(transactional_db):
    study = factories.study()
    people = [factories.member(study, "researcher") for _ in range(2)]
    together, made = threading.Barrier(2), []

    def make(person):
        together.wait()
        made.append(sets.make_draft(study, "test", actor=person).pk)
        connection.close()

    both = [threading.Thread(target=make, args=[person]) for person in people]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(set(made)) == 1
    assert PairSet.objects.count() == 1


def test_pairs_are_chosen_by_a_list_of_the_library_without_controls(study):
    first, second = factories.pairs(study, 2)
    control = factories.pair(study, kind="control", expected={})
    factories.pair(study, held="quarantined")
    assert choosing.by_list(study, "https://example.org/studies/x/pairs/?batch=1&page=2", 10) == [first, second]
    assert choosing.by_list(study, f"q={second.public_id[:12]}", 10) == [second]
    assert choosing.by_list(study, "", 1) == [first]
    with pytest.raises(BadInput, match="No pair of this list"):
        choosing.by_list(study, f"?q={control.public_id[:12]}", 10)


def test_a_version_has_at_most_a_hundred_pairs(study, researcher, monkeypatch):
    monkeypatch.setattr(sets, "MOST_ITEMS", 2)
    draft = sets.make_draft(study, "test", actor=researcher)
    with pytest.raises(BadInput, match="at most 2 pairs"):
        sets.add(draft, factories.pairs(study, 3), actor=researcher)
