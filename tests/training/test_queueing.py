"""Who queues which runs: people, commands and rules; on which releases; and what happens twice the same."""

import json
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent
from diptych.refusals import BadInput, Refused
from releases import withdrawing
from tests import factories
from tests.releases import releasing
from tests.training.training import queued, released
from training import queueing, rules, tasks
from training.models import ModelFamily, Run, Worker
from training.queueing import Wanted

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(study):
    return released(study)


@pytest.mark.long
def test_the_api_queues_a_run(study, release, researcher, api):
    body = {"release": release.number, "kind": "reward", "targets": ["harmlessness", "helpfulness"], "seed": 3}
    response = api(researcher).post(f"/api/v1/studies/{study.slug}/runs/", body, format="json")
    assert response.status_code == 202, response.content
    made = response.json()
    assert (made["state"], made["seeds"], made["asked_because"]) == ("waiting", 3, "person")
    assert made["targets"] == ["helpfulness", "harmlessness"]  # in their fixed order
    listed = api(researcher).get(f"/api/v1/studies/{study.slug}/runs/").json()
    assert [run["id"] for run in listed["runs"]] == [made["id"]]
    again = api(researcher).post(f"/api/v1/studies/{study.slug}/runs/", body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "busy")
    assert AuditEvent.objects.filter(action="run.asked").count() == 1


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"kind": "reward", "targets": []}, "targets"),
        ({"kind": "reward", "targets": ["beauty"]}, "targets"),
        ({"kind": "moderation", "targets": ["helpfulness"]}, "targets"),
        ({"kind": "nothing"}, "kind"),
        ({"targets": ["helpfulness"], "backbone": "huge"}, "backbone"),
        ({"targets": ["helpfulness"], "seed": -1}, "seed"),
        ({"targets": ["helpfulness"], "seeds": 0}, "seeds"),
        ({"targets": ["helpfulness"], "gpus": 65}, "gpus"),
        ({"targets": ["helpfulness"], "gpu_memory_mib": 10}, "gpu_memory_mib"),
        ({"targets": ["helpfulness"], "options": {"max_steps": 0}}, "options"),
        ({"targets": ["helpfulness"], "options": {"policies": {"a": "b=c"}}}, "options"),
        ({"targets": ["helpfulness"], "options": {"more": 1}}, "options"),
    ],
)
def test_a_wrong_wish_names_its_field(release, wanted, field):
    with pytest.raises(BadInput) as refused:
        queueing.ask(release, Wanted(**wanted), actor=None)
    assert refused.value.field == field
    assert not Run.objects.exists()


def test_only_a_complete_release_that_was_not_withdrawn_is_trained_on(study, release, researcher):
    open_one = releasing.ask(study, filter=releasing.Filter(decisions=("accepted", "none")))
    with pytest.raises(Refused, match="still being made"):
        queued(open_one)
    of = withdrawing.subject(study, "answer", str(release.items.first().annotation_id))
    withdrawing.withdraw(study, of, reason="Asked", actor=researcher)
    with pytest.raises(Refused, match="withdrawn"):
        queued(release)


def test_a_run_that_no_known_worker_can_do_says_so_at_once(study, release, researcher):
    queued(release, gpus=1, gpu_memory_mib=24_000)  # no worker is known yet
    worker = Worker.objects.create(owner=researcher, name="gpu-1", gpus=1, gpu_memory_mib=8_000)
    with pytest.raises(Refused, match="No worker offers"):
        queued(release, gpus=1, gpu_memory_mib=24_000, seed=2)
    queued(release, seed=9)
    Worker.objects.filter(pk=worker.pk).update(gpu_memory_mib=80_000)
    queued(release, gpus=1, gpu_memory_mib=24_000, seed=2)
    Worker.objects.filter(pk=worker.pk).update(gpus=0, seen_at=timezone.now() - timedelta(days=30))
    queued(release, gpus=1, gpu_memory_mib=24_000, seed=3)  # that worker is not known any more


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_ask_for_the_same_run_one_gets_it(study, release):
    outcomes = []

    def ask():
        try:
            outcomes.append(queued(release).pk)
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Run.objects.count() == ModelFamily.objects.count() == 1
    assert outcomes.count("busy") == 3


def test_a_run_that_waits_is_cancelled_at_once(release, researcher):
    run = queued(release)
    assert queueing.cancel(run, actor=researcher)
    assert not queueing.cancel(run, actor=researcher)
    run.refresh_from_db()
    assert run.state == "cancelled"
    queueing.again(run, actor=researcher)
    assert Run.objects.get().state == "waiting"


@pytest.mark.long
def test_the_command_queues_several_runs(study, release, capsys):
    call_command("train", study=study.slug, release=release.number, targets=["helpfulness"])
    call_command("train", study=study.slug, kind="moderation", seed=5)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["family"] for line in lines] == ["helpfulness on small", "moderation on small"]
    assert set(Run.objects.values_list("asked_because", flat=True)) == {"command"}
    for wrong in ({"study": "nowhere"}, {"study": study.slug, "release": 9}, {"study": study.slug, "targets": []}):
        with pytest.raises(CommandError):
            call_command("train", **wrong)


class TestRules:
    """A rule queues a run on a new release with enough new pairs, once."""

    @pytest.fixture
    def rule(self, study, researcher):
        return rules.set_rule(
            study, kind="reward", targets=["helpfulness"], least_new_pairs=2, wait_minutes=0, actor=researcher
        )

    @pytest.mark.long
    def test_too_few_new_pairs_wait_for_the_next_release(self, study, rule):
        released(study)
        assert tasks.look_after_training() == 0
        rule.refresh_from_db()
        assert rule.new_pairs == 1
        second = released(study)
        tasks.look_after_training()
        tasks.look_after_training()
        run = Run.objects.get()
        assert (run.release, run.asked_because) == (second, "rule")

    @pytest.mark.long
    def test_pairs_of_the_release_before_do_not_count(self, study, rule):
        first = released(study, 2)
        assert rules.queue_due() == 1
        worker = Worker.objects.create(owner=rule.changed_by, name="gpu-1")
        Run.objects.update(state="done", finished_at=timezone.now(), metrics=[], worker=worker)
        released(study)
        assert rules.queue_due() == 0
        third = released(study)
        assert rules.queue_due() == 1
        assert set(Run.objects.values_list("release", flat=True)) == {first.pk, third.pk}

    def test_a_waiting_time_is_kept(self, study, researcher):
        arguments = {"kind": "moderation", "targets": [], "least_new_pairs": 1, "actor": researcher}
        rules.set_rule(study, wait_minutes=10, **arguments)
        made = released(study)
        assert rules.queue_due() == 0
        type(made).objects.filter(pk=made.pk).update(finished_at=timezone.now() - timedelta(minutes=11))
        assert rules.queue_due() == 1

    def test_a_cancelled_run_is_not_queued_again(self, study, rule, researcher):
        released(study, 2)
        rules.queue_due()
        queueing.cancel(Run.objects.get(), actor=researcher)
        assert rules.queue_due() == 0

    def test_a_rule_that_is_off_does_nothing(self, study, rule, researcher):
        rules.set_rule(study, kind="reward", targets=["helpfulness"], least_new_pairs=1, is_on=False, actor=researcher)
        released(study, 2)
        assert rules.queue_due() == 0


def test_a_study_with_rules_but_without_answers_can_be_deleted(study, researcher):
    from training.deletion import delete_own_rows

    rules.set_rule(study, kind="moderation", targets=[], actor=researcher)
    assert delete_own_rows(study) == 2
    other = factories.study()
    assert delete_own_rows(other) == 0
