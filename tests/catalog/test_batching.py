"""Regroup pairs, and change overlap and priority: previews are exact, and answers and leases are kept."""

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEvent
from annotation import serving
from catalog import batching
from catalog.models import Batch, Pair
from catalog.pair_changes import effects, orders
from catalog.pair_changes.effects import ALL, OVERLAP, PRIORITY, SAMPLE, STILL_OPEN
from diptych.database import locks
from diptych.refusals import Refused
from media.models import Asset
from tests import factories
from tests.annotation import recounting
from tests.annotation.test_concurrency import at_once
from tests.catalog.changing import choice
from tests.media.workers import empty, run_queued

pytestmark = pytest.mark.django_db


def change(study, what, value, researcher, **chosen):
    """Carry out a change and return how many pairs were changed."""
    seen = orders.last_change(study)
    return orders.change_pairs(study, what, value, choice(**chosen), seen=seen, actor=researcher).changed


def slots(study):
    return list(Pair.objects.filter(study=study).order_by("pk").values_list("wanted", "open_slots"))


class TestOverlap:
    def test_open_slots_follow(self, study, researcher, annotator):
        factories.pairs(study, 3)
        factories.answer(annotator, study)
        serving.lease(annotator, study)
        assert change(study, OVERLAP, 3, researcher, which=ALL) == 3
        assert slots(study) == [(3, 2), (3, 2), (3, 2)]
        assert recounting.contradictions(study.pk) == {}

    def test_a_pair_never_wants_less_than_it_has(self, study, researcher):
        factories.pairs(study, 2, wanted=3)
        for _ in range(2):
            serving.lease(factories.member(study, "annotator"), study)
        assert slots(study) == [(3, 1), (3, 1)]
        effect = effects.preview(study, OVERLAP, 1, choice())
        assert effect == {"pairs": 2, "changes": 2, "wanted": 6, "would_want": 4, "more": 0, "fewer": 2, "kept": 2}
        change(study, OVERLAP, 1, researcher)
        assert slots(study) == [(2, 0), (2, 0)]
        assert recounting.contradictions(study.pk) == {}

    def test_what_is_shown_is_what_is_done(self, study, researcher, annotator):
        factories.pairs(study, 5, wanted=2)
        factories.answer(annotator, study)
        before = sum(wanted for wanted, _ in slots(study))
        effect = effects.preview(study, OVERLAP, 4, choice(which=ALL))
        assert change(study, OVERLAP, 4, researcher, which=ALL) == effect["changes"]
        after = sum(wanted for wanted, _ in slots(study))
        assert (after - before, after) == (effect["more"] - effect["fewer"], effect["would_want"])

    def test_which_pairs(self, study, researcher):
        neutral, critical = (
            factories.prompt(study, prompt_type=kind) for kind in ("safety_neutral", "safety_critical")
        )
        second = factories.batch(study, number=2)
        chosen = {
            "plain": factories.pair(study, prompt=neutral),
            "done": factories.pair(study, prompt=neutral, open_slots=0),
            "sample": factories.pair(study, prompt=neutral, in_sample=True),
            "critical": factories.pair(study, prompt=critical),
            "second": factories.pair(study, prompt=neutral, batch=second),
            "held": factories.pair(study, held="look at it"),
            "control": factories.pair(study, kind="control", expected={}),
            "accepted": factories.pair(study, batch=factories.batch(study, number=3, state="accepted")),
        }
        names = {pair.pk: name for name, pair in chosen.items()}

        def meant(**chosen):
            return {names[pair.pk] for pair in effects.pairs_meant(study.pk, **chosen)}

        assert meant() == {"plain", "critical", "second"}
        assert meant(which=ALL) == {"plain", "critical", "second", "done"}
        assert meant(sample=SAMPLE) == {"sample"}
        assert meant(sample=ALL, which=ALL) == {"plain", "critical", "second", "done", "sample"}
        assert meant(batch=2) == {"second"}
        assert meant(prompt_type="safety_critical") == {"critical"}
        assert meant(batch=3) == set()

    def test_another_study_is_left_alone(self, study, researcher):
        other = factories.pair(factories.study())
        factories.pair(study)
        change(study, OVERLAP, 5, researcher)
        other.refresh_from_db()
        assert other.wanted == 1

    def test_it_is_recorded_with_what_it_was(self, study, researcher):
        factories.pairs(study, 2)
        change(study, OVERLAP, 2, researcher)
        event = AuditEvent.objects.get(action="pairs.changed")
        assert event.before == {"pairs": 2, "wanted": 2}
        assert (event.after["value"], event.after["pairs"], event.after["which"]) == (2, 2, STILL_OPEN)

    def test_a_person_who_is_further_on_is_led_back_to_pairs_that_want_more(self, study, researcher):
        factories.pairs(study, 2)
        first, second = (factories.member(study, "annotator") for _ in range(2))
        for _ in range(2):
            factories.answer(first, study)
        assert serving.lease(second, study).current is None
        change(study, OVERLAP, 2, researcher, which=ALL)
        assert serving.lease(second, study).current is not None
        assert serving.lease(first, study).current is None


@pytest.mark.django_db(transaction=True)
class TestWhilePeopleAnswer:
    @pytest.mark.long
    def test_lowering_meets_a_lease_that_is_just_being_taken_or_given_back(self):
        for turn in range(6):
            study = factories.study()
            factories.pairs(study, 2, wanted=3)
            people = [factories.member(study, "annotator") for _ in range(3)]
            researcher = factories.member(study, "researcher")
            held = serving.lease(people[0], study).current
            outcomes = at_once(
                lambda s=study, p=people[1]: serving.lease(p, s),
                lambda s=study, p=people[2]: serving.lease(p, s),
                lambda h=held, p=people[0]: serving.release(h, p),
                lambda s=study, r=researcher, t=turn: change(s, OVERLAP, 1 + t % 2, r, which=ALL),
            )
            assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
            assert recounting.contradictions(study.pk) == {}

    def test_batches_made_anew_meanwhile_keep_pairs_that_were_given(self):
        study = factories.study()
        factories.pairs(study, 20)
        people = [factories.member(study, "annotator") for _ in range(4)]
        researcher = factories.member(study, "researcher")
        calls = [lambda p=p: serving.lease(p, study) for p in people]
        outcomes = at_once(*calls, lambda: orders.make_batches(study, size=4, actor=researcher))
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert recounting.contradictions(study.pk) == {}
        assert Pair.objects.filter(study=study).count() == 20

    @pytest.mark.long
    def test_of_two_changes_at_once_the_second_is_told(self):
        study = factories.study()
        factories.pairs(study, 3)
        people = [factories.member(study, "researcher") for _ in range(2)]
        calls = [
            lambda p=p, v=v: orders.change_pairs(study, OVERLAP, v, choice(), seen=0, actor=p)
            for p, v in zip(people, (2, 3), strict=True)
        ]
        outcomes = at_once(*calls)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ChangedMeanwhile", "PairsChange"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shapes=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=6),
    value=st.integers(1, 8),
)
@pytest.mark.long
def test_whatever_the_pairs_are_the_effect_is_as_shown(study, researcher, shapes, value):
    made = [factories.pair(study, wanted=wanted, open_slots=max(0, wanted - taken)) for wanted, taken in shapes]
    taken = {pair.pk: pair.wanted - pair.open_slots for pair in made}
    others = Pair.objects.filter(study=study).exclude(pk__in=taken)
    others.update(held="an earlier example")
    effect = effects.preview(study, OVERLAP, value, choice(which=ALL, sample=ALL))
    changed = change(study, OVERLAP, value, researcher, which=ALL, sample=ALL)
    after = list(Pair.objects.filter(pk__in=taken))
    assert all(pair.wanted == max(value, taken[pair.pk]) for pair in after)
    assert all(pair.wanted - pair.open_slots == taken[pair.pk] for pair in after)
    assert (effect["pairs"], effect["changes"]) == (len(made), changed)
    assert effect["wanted"] == sum(pair.wanted for pair in made)
    assert (
        effect["would_want"]
        == sum(pair.wanted for pair in after)
        == effect["wanted"] + effect["more"] - effect["fewer"]
    )
    assert effect["kept"] == sum(pair.wanted > value for pair in after)


class TestPriority:
    def test_it_is_changed_and_served_sooner(self, study, researcher, annotator):
        factories.pairs(study, 3)
        late = factories.pair(study, batch=factories.batch(study, number=2))
        assert change(study, PRIORITY, 10, researcher, batch=2) == 1
        assert serving.lease(annotator, study).current.pair == late
        assert change(study, PRIORITY, 10, researcher, batch=2, which=ALL) == 0

    def test_videos_of_pairs_that_are_served_sooner_are_prepared_sooner(
        self, study, researcher, django_capture_on_commit_callbacks
    ):
        empty("default")
        waiting = {"asset": factories.asset(state="waiting")}
        factories.pairs(study, 2, ready=False)
        about = factories.prompt(study)
        late = factories.pair(
            study,
            prompt=about,
            video_0=factories.video(about, **waiting),
            ready=False,
            batch=factories.batch(study, number=2),
        )
        first = Asset.objects.get(pk=late.video_0.asset_id).priority
        with django_capture_on_commit_callbacks(execute=True):
            change(study, PRIORITY, 10, researcher, batch=2)
        run_queued("default")
        assert Asset.objects.get(pk=late.video_0.asset_id).priority > first


class TestBatches:
    def numbers(self, study):
        return list(Pair.objects.filter(study=study).order_by("pk").values_list("batch__number", flat=True))

    def test_pairs_are_put_into_batches_of_a_size_in_the_order_of_serving(self, study, researcher):
        made = factories.pairs(study, 5)
        Pair.objects.filter(pk=made[4].pk).update(priority=7)
        done = orders.make_batches(study, size=2, actor=researcher)
        assert (done.changed, done.made) == (5, {"first": 2, "batches": 3, "emptied": 1})
        assert self.numbers(study) == [2, 3, 3, 4, 2]
        assert set(Batch.objects.filter(study=study).values_list("number", "state")) == {
            (2, "open"), (3, "open"), (4, "open"),
        }  # fmt: skip

    def test_pairs_that_somebody_has_or_answered_stay_and_so_do_other_batches(self, study, researcher, annotator):
        factories.pairs(study, 5)
        factories.answer(annotator, study)
        serving.lease(annotator, study)
        factories.pair(study, batch=factories.batch(study, number=9, state="in_review"))
        assert batching.count_free(study) == 2
        done = orders.make_batches(study, size=10, actor=researcher)
        assert (done.changed, done.made["first"]) == (2, 10)
        assert self.numbers(study) == [1, 1, 1, 10, 10, 9]
        assert Batch.objects.get(study=study, number=9).state == "in_review"

    def test_by_type_of_prompt(self, study, researcher):
        factories.pair(study)
        factories.pair(study, prompt=factories.prompt(study, prompt_type="safety_critical"))
        assert orders.make_batches(study, size=5, prompt_type="safety_critical", actor=researcher).changed == 1
        assert self.numbers(study) == [1, 2]

    def test_where_nothing_is_free_nothing_happens(self, study, researcher):
        with pytest.raises(Refused, match="they stay in their batches"):
            orders.make_batches(study, size=5, actor=researcher)
        assert not AuditEvent.objects.exists()

    def test_it_is_recorded(self, study, researcher):
        factories.pairs(study, 3)
        orders.make_batches(study, size=2, actor=researcher)
        after = AuditEvent.objects.get(action="batches.made").after
        assert (after["pairs"], after["size"], after["batches"], after["emptied"]) == (3, 2, 2, 1)

    def test_the_rows_of_the_page(self, study, annotator):
        factories.pairs(study, 2, wanted=2)
        factories.pair(study, held="look")
        factories.answer(annotator, study)
        [row] = batching.batches_of(study)
        assert (row.number, row.pair_count, row.wanted, row.taken, row.held_count) == (
            1,
            3,
            5,
            2,
            1,
        )  # answered, and the one after it


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_who_make_batches_at_once_leave_every_pair_in_one():
    study = factories.study()
    factories.pairs(study, 9)
    people = [factories.member(study, "researcher") for _ in range(2)]
    outcomes = at_once(*[lambda p=p: orders.make_batches(study, size=2, actor=p) for p in people])
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    done = [outcome for outcome in outcomes if getattr(outcome, "state", "") == "done"]
    assert (len(done) + len(refused), bool(done)) == (2, True)
    sizes = [batch.pairs.count() for batch in Batch.objects.filter(study=study)]
    assert (sum(sizes), sorted(sizes)) == (9, [1, 2, 2, 2, 2])


@pytest.mark.django_db(transaction=True)
def test_while_an_import_writes_batches_stay_as_they_are():
    study = factories.study()
    factories.pairs(study, 2)
    researcher = factories.member(study, "researcher")
    with locks.try_exclusive(locks.Key.IMPORT_INTO_STUDY, study.pk) as held:
        assert held
        [change] = at_once(lambda: orders.make_batches(study, size=1, actor=researcher))
    assert (change.state, change.reason) == ("failed", batching.IMPORTING)
    assert Batch.objects.filter(study=study).count() == 1
    assert orders.resume(change, actor=researcher).made == {"first": 2, "batches": 2, "emptied": 1}


class TestPages:
    @pytest.fixture
    def client(self, browser_client, researcher):
        return browser_client(researcher)

    def test_batches_are_listed_and_made_anew(self, client, study):
        factories.pairs(study, 3)
        address = reverse("catalog:batches", args=[study.slug])
        response = client.post(address, {"size": 2, "prompt_type": ""}, follow=True)
        assert "3 pairs moved to batches 2 to 3." in response.content.decode()
        assert client.post(address, {"size": 0}).status_code == 400

    def test_the_effect_is_shown_before_it_is_done(self, client, study):
        factories.pairs(study, 3)
        address = reverse("catalog:change_pairs", args=[study.slug])
        chosen = {"what": "overlap", "value": 2, "which": "open", "sample": "others", "batch": "", "prompt_type": ""}
        response = client.get(address, chosen)
        assert "Change 3 pairs" in response.content.decode()
        assert slots(study) == [(1, 1)] * 3
        client.post(address, chosen | {"seen": response.context["seen"]})
        assert slots(study) == [(2, 2)] * 3

    def test_a_change_by_somebody_else_meanwhile_is_shown_and_not_overwritten(self, client, study, researcher):
        factories.pairs(study, 3)
        address = reverse("catalog:change_pairs", args=[study.slug])
        chosen = {"what": "overlap", "value": 2, "which": "open", "sample": "others"}
        seen = client.get(address, chosen).context["seen"]
        change(study, OVERLAP, 5, factories.member(study, "researcher"))
        response = client.post(address, chosen | {"seen": seen}, follow=True)
        assert "Nothing was changed" in response.content.decode()
        assert response.context["effect"]["fewer"] == 9
        assert slots(study) == [(5, 5)] * 3

    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("value", {"value": 0}), ("value", {"value": 101}), ("value", {"value": "x"}), ("batch", {"batch": 7}),
            ("value", {"what": "priority", "value": 10**9 + 1}), ("which", {"which": "x"}), ("sample", {"sample": ""}),
            ("batch", {"batch": 10**30}),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_said_at_the_field(self, client, study, field, values):
        factories.pair(study)
        chosen = {"what": "overlap", "value": 2, "which": "open", "sample": "others"} | values
        address = reverse("catalog:change_pairs", args=[study.slug])
        for response in (client.get(address, chosen), client.post(address, chosen)):
            assert response.status_code == 400
            assert response.context["form"].errors[field]
        assert slots(study) == [(1, 1)]
