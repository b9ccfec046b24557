"""What a candidate waits for, and comparing a version again whose comparison could not be made."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from diptych.sentences import joined
from jobs import messages
from jobs.models import OPEN_STATES
from training import queueing, registry
from training.models import ModelFamily, ModelVersion, Run
from training.policy import DECIDE

State, Decision = ModelVersion.State, ModelVersion.Decision
#: Reasons of versions that were not compared, and for which another attempt may help.
REPEATABLE = (registry.NOT_EVALUATED, registry.UNREADABLE)


def evaluation_of(version: ModelVersion) -> Run | None:
    """Return the last run in which the other version predicts the test answers of this one; None if none was needed."""
    against = registry.promoted(version.family) if version.state == State.CANDIDATE else version.against
    if against is None:
        return None
    found = Run.objects.filter(version=against, release=version.run.release_id, purpose=Run.Purpose.EVALUATE)
    return found.select_related("version", "family").order_by("-pk").first()


def waits_for(version: ModelVersion) -> str:
    """Return what the decision about a candidate waits for, in the reader's language."""
    candidates = ModelVersion.objects.filter(family=version.family_id, state=State.CANDIDATE, number__lt=version.number)
    if earlier := candidates.order_by("number").first():
        return _("It waits until version %(n)s is decided.") % {"n": earlier.number}
    against = registry.promoted(version.family)
    if against is None or against.run.release_id == version.run.release_id:
        return _("It is compared within a minute.")
    asked = against.run
    trouble = queueing.why_no_worker(version.study, version.family.backbone, asked.gpus, asked.gpu_memory_mib)
    if not trouble and not queueing.known_workers(version.study):
        trouble = _("No training worker has asked for runs in the last seven days. Runs wait until one starts.")
    waits = _("It waits until the promoted version has predicted the same test answers.")
    return joined(filter(None, (waits, trouble)))


def can_compare_again(version: ModelVersion) -> bool:
    """Return whether the comparison of a version could not be made, so that a person may ask for it again."""
    return version.state == State.KEPT and version.decision == Decision.UNDECIDED and version.reason in REPEATABLE


def compare_again(version: ModelVersion, *, actor: User) -> None:
    """Make a version a candidate again whose comparison could not be made. Raise Refused.

    If the evaluation of the promoted version failed or was cancelled, it waits for a worker again. Of two people who
    ask at once, one succeeds: the other one finds a candidate.
    """
    with transaction.atomic():
        ModelFamily.objects.select_for_update(no_key=True).get(pk=version.family_id)
        present = ModelVersion.objects.select_related("study", "family", "run__release").get(pk=version.pk)
        if not can_compare_again(present):
            sentence = _("Only a version whose comparison could not be made can be compared again.")
            raise Refused(sentence, "not_repeatable")
        cleared = {"decision": "", "reason": "", "decided_at": None, "decided_by": None, "against": None}
        ModelVersion.objects.filter(pk=present.pk).update(state=State.CANDIDATE, **cleared)
        present.refresh_from_db()
        against = registry.promoted(present.family)
        if against is not None and against.run.release_id != present.run.release_id:
            _evaluate_again(present, against, actor)
        audit.record("model.compared_again", present, actor=actor, study_slug=present.study.slug)
        messages.send_after_commit(DECIDE, [present.run_id])


def _evaluate_again(version: ModelVersion, against: ModelVersion, actor: User) -> None:
    """Let the last evaluation of a version on this release wait for a worker again, or queue one. Raise Refused."""
    last = evaluation_of(version)
    if last is None:
        queueing.ask_evaluation(version.run.release, against, actor=actor, because=Run.Because.COMPARISON)
    elif last.state != Run.State.DONE and last.state not in OPEN_STATES:
        last.study = version.study
        queueing.again(last, actor=actor)
