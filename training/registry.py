"""Decide about model versions: compare a candidate with the promoted version, and let people decide where they may.

A candidate is a row with the state `candidate`. `decide` may be called for it at any time and by several workers at
once. It decides when the predictions of both versions are there, and asks for those that are missing.
"""

import logging
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from diptych.database import locks
from diptych.refusals import BadInput, Refused
from jobs.models import OPEN_STATES
from training import figures, promotion, queueing, registry_predictions
from training.kinds import Kind
from training.models import ComparedCluster, ModelFamily, ModelVersion, Run
from training.promotion import FEWEST_CLUSTERS, Verdict
from webhooks import outbox

log = logging.getLogger(__name__)
State, Decision = ModelVersion.State, ModelVersion.Decision
LONGEST_REASON = 1000
#: Reasons of decisions that a comparison made. Pages say more, from the interval and the numbers of the version.
REASONS = {
    Decision.FIRST: gettext_noop("It is the first version whose interval is above chance."),
    Decision.BETTER: gettext_noop("It is better than the promoted version."),
    Decision.NOT_WORSE: gettext_noop("It is not worse. A person may promote it."),
    Decision.WORSE: gettext_noop("It is worse."),
    Decision.UNDECIDED: gettext_noop("The comparison does not show which one is better."),
    Decision.NOT_DECIDABLE: gettext_noop("The test part has too few clusters of prompts to decide."),
}
NOT_EVALUATED = gettext_noop("The promoted version could not be evaluated on this release. Look at that run.")
RELEASE_WITHDRAWN = gettext_noop("The release was withdrawn before the versions were compared.")
NOT_COMPARABLE = gettext_noop("The predictions of the two versions are not about the same test answers.")
UNREADABLE = gettext_noop("The file of predictions cannot be read.")


def decide_waiting(run_id: int | None = None) -> int:
    """Decide about the candidates, or about those of one run's family. Return how many were decided."""
    waiting = ModelVersion.objects.filter(state=State.CANDIDATE).order_by("pk")
    if run_id is not None:
        waiting = waiting.filter(family__runs=run_id)
    decided = 0
    for version_id in list(waiting.values_list("pk", flat=True)):
        try:
            decided += decide(version_id) != State.CANDIDATE
        except OSError as error:
            log.warning("Version %s is not compared yet: %s", version_id, error)
        except DatabaseError:
            raise
        except Exception:  # one version must not keep those of other studies waiting
            log.exception("Version %s could not be compared", version_id)
    return decided


def promoted(family: ModelFamily) -> ModelVersion | None:
    """Return the promoted version of a family, or None."""
    return ModelVersion.objects.select_related("run").filter(family=family, state=State.PROMOTED).first()


def decide(version_id: int) -> str:
    """Decide about a candidate, if the predictions that it needs are there. Return its state afterwards.

    Candidates of a family are decided in the order of their numbers, because each decision changes with which version
    the next one is compared. Raise OSError if the storage is away; the candidate then waits.
    """
    version = ModelVersion.objects.select_related("study", "family", "run__release", "run__family").get(pk=version_id)
    with locks.try_exclusive(locks.Key.DECIDE_MODELS, version.family_id) as is_mine:
        if not is_mine:
            return State.CANDIDATE
        version.refresh_from_db(fields=["state"])
        earlier = ModelVersion.objects.filter(
            family=version.family, state=State.CANDIDATE, number__lt=version.number
        ).exists()
        if version.state != State.CANDIDATE or earlier:
            return version.state
        return _decide(version)


def _decide(version: ModelVersion) -> str:
    against = promoted(version.family)
    before: Run | None = None
    if version.run.release.tombstones.exists():
        return _write(version, against, Decision.UNDECIDED, RELEASE_WITHDRAWN)
    if against is not None:
        before = predictions_on(version, against)
        if before is None:
            return State.CANDIDATE
        if before.state != Run.State.DONE:
            return _write(version, against, Decision.UNDECIDED, NOT_EVALUATED)
    try:
        values, reliability = _values(version, before)
    except promotion.DifferentAnswers:
        return _write(version, against, Decision.UNDECIDED, NOT_COMPARABLE)
    except (ValueError, KeyError) as error:
        log.warning("Predictions of %s: %s", version, error)
        return _write(version, against, Decision.UNDECIDED, UNREADABLE)
    return _write(version, against, None, "", values=values, reliability=reliability)


def _values(version: ModelVersion, before: Run | None) -> tuple[dict[str, float], figures.Reliability]:
    """Return the difference of each cluster, and the reliability diagram. Takes seconds to minutes."""
    read = registry_predictions.of
    old = None if before is None else read(before)
    if version.family.kind == Kind.MODERATION:
        from training import tag_promotion  # it loads numpy, which only workers need

        return tag_promotion.tag_values(read(version.run), old), figures.of_tags(read(version.run))
    return promotion.choice_values(read(version.run), old), figures.of_choices(read(version.run))


def predictions_on(version: ModelVersion, against: ModelVersion) -> Run | None:
    """Return the run with the predictions of `against` on the release of `version`; None while they are being made.

    The run is not done if it failed or was cancelled. If there is none, it is queued.
    """
    release = version.run.release
    if against.run.release_id == release.pk:
        return against.run
    found = Run.objects.filter(version=against, release=release, purpose=Run.Purpose.EVALUATE)
    if done := found.filter(state=Run.State.DONE).select_related("family").order_by("-pk").first():
        return done
    if found.filter(state__in=list(OPEN_STATES)).exists():
        return None
    if ended := found.filter(created_at__gte=version.created_at).order_by("-pk").first():
        return ended
    try:
        queueing.ask_evaluation(release, against, actor=None, because=Run.Because.COMPARISON)
    except Refused as refusal:
        log.warning("%s is not compared yet: %s", version, refusal)
    return None


def _write(
    version: ModelVersion,
    against: ModelVersion | None,
    decision: ModelVersion.Decision | None,
    reason: str,
    *,
    values: dict[str, float] | None = None,
    reliability: figures.Reliability | None = None,
) -> str:
    """Write the decision about a candidate, and promote it where the comparison says so. Return its state.

    1. Lock the family. Somebody may have promoted another version meanwhile: then the candidate stays one.
    2. Number the comparison, and compute the interval at its level.
    3. Write the decision; the promoted version before becomes kept.
    """
    with transaction.atomic():
        family = ModelFamily.objects.select_for_update(no_key=True).get(pk=version.family_id)
        present = promoted(family)
        if (present and present.pk) != (against and against.pk):
            return State.CANDIDATE
        columns: dict[str, Any] = {"reliability": reliability}
        if values is not None:
            found = promotion.compare(values, _next_comparison(family, values))
            decision = _decision(found.verdict, against)
            columns |= {"low": found.low, "high": found.high, "clusters": found.clusters}
            if found.verdict != Verdict.NOT_DECIDABLE:
                columns |= {"comparison": found.k, "compared_at": Now()}
                _use(family, version, values)
        assert decision is not None  # noqa: S101  # either given, or from the values
        is_promoted = decision in {Decision.FIRST, Decision.BETTER}
        columns |= {"decision": decision, "reason": reason or REASONS[decision], "against": against}
        columns |= {"state": State.PROMOTED if is_promoted else State.KEPT, "decided_at": Now()}
        if is_promoted and against is not None:
            _replace(against, version)
        if not ModelVersion.objects.filter(pk=version.pk, state=State.CANDIDATE).update(**columns):
            transaction.set_rollback(True)
            return State.CANDIDATE
        _record(version, columns["state"], columns["reason"], actor=None, decision=decision)
    return str(columns["state"])


def _decision(verdict: Verdict, against: ModelVersion | None) -> ModelVersion.Decision:
    if against is None:
        # Without a promoted version the comparison is with chance, and nobody wants a model that is just not worse.
        first = {Verdict.BETTER: Decision.FIRST, Verdict.NOT_WORSE: Decision.UNDECIDED}
        return first.get(verdict) or Decision(verdict.value)
    return Decision(verdict.value)


def _next_comparison(family: ModelFamily, values: dict[str, float]) -> int:
    """Return k: one more than the last comparison of the family, or 1 if enough of the clusters are fresh."""
    # A version that is compared again may have a lower number than the last one that was compared.
    compared = ModelVersion.objects.filter(family=family, comparison__isnull=False)
    last = compared.order_by(F("compared_at").desc(nulls_last=True), "-number").first()
    used = ComparedCluster.objects.filter(family=family, cluster__in=list(values)).count()
    if last is None or last.comparison is None or len(values) - used >= FEWEST_CLUSTERS:
        return 1
    return last.comparison + 1


def _use(family: ModelFamily, version: ModelVersion, values: dict[str, float]) -> None:
    rows = [ComparedCluster(family=family, cluster=name, version=version) for name in values]
    ComparedCluster.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)


def _replace(old: ModelVersion, new: ModelVersion) -> None:
    reason = gettext_noop("A later version was promoted.")
    ModelVersion.objects.filter(pk=old.pk).update(state=State.KEPT, decided_at=Now(), decided_by=None, reason=reason)


def _record(version: ModelVersion, state: str, reason: str, *, actor: User | None, decision: str = "") -> None:
    """Write an audit row, and tell webhooks about a promotion."""
    after = {"state": state, "reason": reason, "decision": decision or version.decision}
    audit.record("model.decided", version, actor=actor, study_slug=version.study.slug, after=after)
    if state == State.PROMOTED:
        about = {"version_id": version.pk, "family": version.family.key, "number": version.number}
        outbox.record(version.study, "model.promoted", about | {"run": version.run_id})


def why_not_promotable(version: ModelVersion, present: ModelVersion | None) -> str:
    """Return why a person may not promote a version now, in the reader's language; empty if they may."""
    if version.state != State.KEPT:
        return _("Only a version that is kept can be promoted.")
    if version.decision not in {Decision.FIRST, Decision.BETTER, Decision.NOT_WORSE}:
        return _("Only a version that its comparison showed to be better or not worse can be promoted.")
    if present is not None and version.against_id != present.pk:
        about = {"n": present.number}
        return (
            _("This version was not compared with version %(n)s, which is promoted. Take that promotion back first.")
            % about
        )
    return ""


def promote(version: ModelVersion, *, reason: str, actor: User) -> ModelVersion:
    """Promote a version that is not worse, and return it. The reason is recorded. Raise BadInput and Refused.

    Repeating it is harmless.
    """
    reason = _checked(reason)
    with transaction.atomic():
        family = ModelFamily.objects.select_for_update(no_key=True).get(pk=version.family_id)
        present, version = promoted(family), _again(version)
        if present is not None and present.pk == version.pk:
            return version
        if trouble := why_not_promotable(version, present):
            raise Refused(trouble, "not_promotable")
        if present is not None:
            _replace(present, version)
        return _by_person(version, State.PROMOTED, reason, actor)


def take_back(version: ModelVersion, *, reason: str, actor: User) -> ModelVersion:
    """Take the promotion of a version back, and return it. No version of the family is promoted then.

    Raise BadInput and Refused.
    """
    reason = _checked(reason)
    with transaction.atomic():
        ModelFamily.objects.select_for_update(no_key=True).get(pk=version.family_id)
        version = _again(version)
        if version.state != State.PROMOTED:
            raise Refused(_("This version is not promoted."), "not_promoted")
        return _by_person(version, State.KEPT, reason, actor)


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput(_("Give a reason of at most %(n)s characters.") % {"n": LONGEST_REASON}, field="reason")
    return reason


def _again(version: ModelVersion) -> ModelVersion:
    return ModelVersion.objects.select_related("study", "family", "run").get(pk=version.pk)


def _by_person(version: ModelVersion, state: ModelVersion.State, reason: str, actor: User) -> ModelVersion:
    ModelVersion.objects.filter(pk=version.pk).update(state=state, reason=reason, decided_by=actor, decided_at=Now())
    _record(version, state, reason, actor=actor)
    version.refresh_from_db()
    return version


def withdraw(version: ModelVersion, *, reason: str, actor: User) -> ModelVersion:
    """Withdraw a version for good, and return it: nobody can download it or promote it. Raise BadInput and Refused.

    Runs in which it predicts or scores are cancelled. A candidate may be withdrawn before it is compared.
    """
    reason = _checked(reason)
    with transaction.atomic():
        ModelFamily.objects.select_for_update(no_key=True).get(pk=version.family_id)
        version = _again(version)
        if version.state == State.WITHDRAWN:
            raise Refused(_("This version was withdrawn already."), "withdrawn", status=410)
        for run in Run.objects.filter(version=version, state__in=list(OPEN_STATES)).select_related("study"):
            queueing.cancel(run, actor=actor)
        return _by_person(version, State.WITHDRAWN, reason, actor)
