"""The funnel: every submitted answer is released or left out for one reason, and the numbers add up."""

import itertools
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from annotation.models import Annotation, Standing
from catalog.models import Pair
from diptych.refusals import BadInput
from releases import filters, funnel
from releases.filters import Filter
from releases.withdrawing import subject, withdraw
from tests import factories
from tests.qc.reviewed import spot_checked
from tests.releases.releasing import accepted, answered, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(study):
    """A study with an answer for each reason, and two answers to release."""
    person = factories.member(study, "annotator")
    made = {name: answered(study, person)[0] for name in NAMES}
    Pair.objects.filter(pk=made["quarantined"].pair_id).update(held="quarantined")
    Pair.objects.filter(pk=made["held"].pair_id).update(held="A person's reason")
    control = factories.pair(study, kind="control", expected={}, batch=factories.batch(study, number=0))
    Pair.objects.filter(pk=made["control"].pair_id).delete() if False else None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE annotation_assignment SET pair_id = %s WHERE id = %s", [control.pk, made["control"].pk])
    stands = Standing.objects.filter
    stands(pk=made["contradiction"].pk).update(validity="invalid", reason="contradiction")
    stands(pk=made["surplus"].pk).update(counted=False, uncounted_reason="surplus")
    frozen = [one for name, one in made.items() if name not in {"no_lot", "lot_returned", "control"}]
    accepted(*frozen)
    accepted(made["lot_returned"], state="returned")
    withdraw(study, subject(study, "video", made["withdrawn"].pair.video_0.public_id), reason="Asked", actor=None)
    return made


NAMES = (
    *("control", "quarantined", "held", "withdrawn", "contradiction", "surplus", "no_lot", "lot_returned"),
    *("released", "also"),
)


def test_the_numbers_add_up_and_every_reason_is_named(study, world):
    release = make(study)
    stages = {stage["stage"]: stage for stage in release.funnel}
    assert [stage["stage"] for stage in release.funnel] == list(funnel.STAGES)
    passed = [stage["answers"] for stage in release.funnel]
    left_out = [sum(stage["left_out"].values()) for stage in release.funnel]
    assert passed[0] == Standing.objects.count() == len(NAMES)
    assert [before - now for before, now in itertools.pairwise(passed)] == left_out[1:]
    assert stages["usable"]["left_out"] == {"control": 1, "held": 1, "quarantined": 1, "withdrawn": 1}
    assert stages["valid"]["left_out"] == {"contradiction": 1}
    assert stages["counted"]["left_out"] == {"surplus": 1}
    assert stages["reviewed"]["left_out"] == {"no_lot": 1, "lot_returned": 1}
    assert passed[-1] == 2 == release.counts["answers"] == release.items.count()
    assert {one.annotation.assignment_id for one in release.items.all()} == {world["released"].pk, world["also"].pk}


@pytest.mark.long
def test_the_preview_is_the_funnel_of_the_release(study, world):
    preview = funnel.preview(study, Filter())
    assert [stage.as_json() for stage in preview] == make(study).funnel


class TestFilter:
    def released(self, study, **given):
        return funnel.preview(study, filters.checked(study, **given))[-1].passed

    def test_decisions_and_lots(self, study):
        first, second, third = answered(study, pairs=3)
        lot, other = accepted(first), accepted(second)
        accepted(third, state="in_review")
        assert self.released(study) == 2
        assert self.released(study, decisions=["accepted", "in_review"]) == 3
        assert self.released(study, lots=[lot.number]) == 1
        assert self.released(study, lots=[lot.number, other.number]) == 2

    def test_an_answer_counts_in_its_last_lot(self, study):
        [one] = answered(study)
        accepted(one, state="returned")
        assert self.released(study) == 0
        accepted(one)
        assert self.released(study) == 1

    @pytest.mark.long
    def test_review(self, study):
        reviewed, defective, _unreviewed = made = answered(study, pairs=3)
        lot = accepted(*made)
        by_answer = {item.assignment_id: item for item in lot.items.all()}
        spot_checked(by_answer[reviewed.pk], "fine")
        spot_checked(by_answer[defective.pk], "defect")
        assert self.released(study, reviewed="reviewed") == 2
        assert self.released(study, reviewed="without_defect") == 1
        release = make(study, filter=Filter(reviewed="without_defect"))
        assert len(release.items.get().reviews) == 1

    def test_days_languages_types_and_versions(self, study):
        accepted(*answered(study), *answered(study, prompt=factories.prompt(study, language="zh")))
        today = timezone.now().date()
        assert self.released(study, since=today, until=today + timedelta(days=1)) == 2
        assert self.released(study, until=today - timedelta(days=1)) == 0
        assert self.released(study, languages=["zh"]) == 1
        assert self.released(study, prompt_types=["safety_critical"]) == 0
        assert self.released(study, protocol_versions=[1]) == 2

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"lots": [99]}, "lots"),
            ({"decisions": []}, "decisions"),
            ({"languages": ["xx"]}, "languages"),
            ({"protocol_versions": [2]}, "protocol_versions"),
        ],
    )
    def test_a_choice_that_the_study_does_not_have_is_refused_with_its_field(self, study, given, field):
        with pytest.raises(BadInput) as refused:
            filters.checked(study, **given)
        assert refused.value.field == field

    def test_a_filter_is_kept_as_it_was(self, study):
        wanted = filters.checked(study, since=timezone.now().date(), prompt_types=["safety_critical"])
        assert filters.from_json(wanted.as_json()) == wanted


def test_answers_of_others_do_not_enter(study):
    accepted(*answered(study))
    accepted(*answered(factories.study()))
    assert make(study).items.get().annotation == Annotation.objects.get(study=study)
