"""Queue runs: what may be asked for, on which releases, and what happens twice the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from diptych.database import locks
from diptych.refusals import BadInput, Refused
from jobs import engine, ordered
from releases.models import Release
from releases.sending import require_complete
from studies.models import Study
from training.kinds import BACKBONES, OFFERED_HELP, Kind, backbone_of, checked_targets, is_offered
from training.models import ModelFamily, ModelVersion, Run, Worker
from training.models.runs import MOST_SEEDS
from training.permissions import owners_for
from training.policy import POLICY

Because = Run.Because
BUSY = gettext_noop(
    "The same run is already waiting or running. Wait until it has ended, cancel it, or choose another seed."
)
LARGEST_SEED = 2**31 - 1
MOST_STEPS = 10_000_000
MOST_POLICIES, LONGEST_POLICY = 20, 40
#: A worker that has not asked for this long is not counted as one that could do a run.
KNOWN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to train. None: as the backbone needs it."""

    kind: str = Kind.REWARD
    targets: Sequence[str] = field(default_factory=list)
    backbone: str = "small"
    seed: int = 1
    seeds: int | None = None
    #: `policies` of the pre-flight by name, and `max_steps`.
    options: Mapping[str, Any] = field(default_factory=dict)
    gpus: int | None = None
    gpu_memory_mib: int | None = None


def ask(release: Release, wanted: Wanted, *, actor: User | None, because: str = Because.PERSON) -> Run:
    """Queue a run that trains on a release. Return it.

    Raise BadInput, or Refused: the release is not complete or was withdrawn, the same run is open, or no known worker
    offers what it needs.
    """
    values = checked(wanted)
    if (backbone := backbone_of(wanted.backbone)) and backbone.needs_videos and "videos" not in release.formats:
        about = {"name": wanted.backbone, "n": release.number}
        sentence = _("The backbone %(name)s reads videos, and release %(n)s has none. Make one with the format videos.")
        raise Refused(sentence % about, "no_videos")
    family = ModelFamily.objects.get_or_create(
        study=release.study,
        kind=wanted.kind,
        targets=checked_targets(wanted.kind, wanted.targets),
        backbone=wanted.backbone,
    )[0]
    return _queue(release, family, actor=actor, because=because, **values)


def ask_evaluation(release: Release, version: ModelVersion, *, actor: User | None, because: str) -> Run:
    """Queue a run in which an existing version predicts the test part of a release. Return it. Raise Refused."""
    asked = version.run
    return _queue(
        release,
        version.family,
        actor=actor,
        because=because,
        purpose=Run.Purpose.EVALUATE,
        version=version,
        seed=asked.seed,
        seeds=asked.seeds,
        gpus=asked.gpus,
        gpu_memory_mib=asked.gpu_memory_mib,
    )


def ask_scoring(version: ModelVersion, *, options: Mapping[str, Any], actor: User | None) -> Run:
    """Queue a run in which a version scores videos of its study, which `options` name. Return it. Raise Refused."""
    asked = version.run
    return _queue(
        asked.release,
        version.family,
        actor=actor,
        because=Because.PERSON,
        purpose=Run.Purpose.SCORE,
        version=version,
        seed=asked.seed,
        seeds=asked.seeds,
        options=dict(options),
        gpus=asked.gpus,
        gpu_memory_mib=asked.gpu_memory_mib,
    )


def _queue(release: Release, family: ModelFamily, *, actor: User | None, because: str, **values: Any) -> Run:
    study = release.study
    with transaction.atomic():
        locks.lock(locks.Key.RELEASES, study.pk)  # a withdrawal comes before the run, or after it
        require_complete(release)
        if trouble := why_no_worker(study, family.backbone, values["gpus"], values["gpu_memory_mib"]):
            raise Refused(trouble, "no_worker_offers")
        with ordered.one_at_a_time(POLICY, _(BUSY), "busy"):
            run = Run.objects.create(
                study=study, release=release, family=family, asked_by=actor, asked_because=because, **values
            )
        after = {"release": release.number, "family": str(family), "because": because} | {
            name: values[name] for name in ("seed", "seeds", "options", "gpus") if name in values
        }
        audit.record("run.asked", run, actor=actor, study_slug=study.slug, after=after)
        engine.announce(POLICY, run.pk)
    return run


def checked(wanted: Wanted) -> dict[str, Any]:
    """Return the columns of a run. Raise BadInput."""
    if wanted.kind not in Kind.values:
        raise BadInput(_("Choose what to train: reward or moderation."), field="kind")
    backbone = backbone_of(wanted.backbone)
    if backbone is None:
        about = {"name": wanted.backbone[:40], "known": ", ".join((*BACKBONES, OFFERED_HELP))}
        raise BadInput(_("There is no backbone %(name)s. Known: %(known)s.") % about, field="backbone")
    seeds = backbone.seeds if wanted.seeds is None else wanted.seeds
    if not 0 <= wanted.seed <= LARGEST_SEED - MOST_SEEDS:
        raise BadInput(_("Give a seed from 0 to %(n)s.") % {"n": LARGEST_SEED - MOST_SEEDS}, field="seed")
    if not 1 <= seeds <= MOST_SEEDS:
        raise BadInput(_("Give 1 to %(n)s seeds.") % {"n": MOST_SEEDS}, field="seeds")
    gpus = backbone.gpus if wanted.gpus is None else wanted.gpus
    if not backbone.gpus <= gpus <= 64:
        about_gpus = {"least": backbone.gpus, "name": wanted.backbone}
        raise BadInput(_("The backbone %(name)s needs %(least)s to 64 GPUs.") % about_gpus, field="gpus")
    memory = backbone.gpu_memory_mib if wanted.gpu_memory_mib is None else wanted.gpu_memory_mib
    if not 0 <= memory <= 1_000_000 or (memory and not gpus):
        raise BadInput(_("Give the memory of each GPU in MiB, and at least one GPU."), field="gpu_memory_mib")
    options = _checked_options(wanted.options)
    return {"seed": wanted.seed, "seeds": seeds, "gpus": gpus, "gpu_memory_mib": memory, "options": options}


def _checked_options(given: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if unknown := sorted(set(given) - {"policies", "max_steps"}):
        raise BadInput(_("Unknown options: %(names)s.") % {"names": ", ".join(unknown)[:200]}, field="options")
    if policies := given.get("policies"):
        texts = [*policies, *policies.values()]
        if len(policies) > MOST_POLICIES or not all(
            isinstance(text, str) and 0 < len(text) <= LONGEST_POLICY and "=" not in text for text in texts
        ):
            sentence = _("Give up to %(n)s policies, each as a short name and a short value without “=”.")
            raise BadInput(sentence % {"n": MOST_POLICIES}, field="options")
        options["policies"] = dict(policies)
    if (steps := given.get("max_steps")) is not None:
        if not (isinstance(steps, int) and 1 <= steps <= MOST_STEPS):
            raise BadInput(_("Give 1 to %(n)s steps.") % {"n": MOST_STEPS}, field="options")
        options["max_steps"] = steps
    return options


def known_workers(study: Study) -> list[Worker]:
    """Return the workers that asked for runs lately and may do those of the study, the largest first."""
    since = timezone.now() - KNOWN_FOR
    return list(Worker.objects.filter(owners_for(study), seen_at__gte=since).order_by("-gpu_memory_mib", "-gpus", "pk"))


def backbones(study: Study) -> dict[str, str | Promise]:
    """Return the backbones that a run of the study can have now, with their labels: all of ours, and offered ones."""
    offered = sorted({name for worker in known_workers(study) for name in worker.backbones})
    return {name: one.label for name in (*BACKBONES, *offered) if (one := backbone_of(name))}


def why_no_worker(study: Study, backbone: str, gpus: int, memory_mib: int) -> str:
    """Return why none of the workers that are known can do such a run; empty if one can, or none is known yet.

    A backbone with weights of its own must be offered by a worker that is known: its name means nothing to others.
    """
    workers = known_workers(study)
    if is_offered(backbone):
        workers_with_it = [one for one in workers if backbone in one.backbones]
        if not workers_with_it:
            sentence = _("No worker offers the backbone %(name)s. Start one with --backbone %(name)s=FOLDER.")
            return sentence % {"name": backbone}
        workers = workers_with_it
    if not workers or any(one.gpus >= gpus and one.gpu_memory_mib >= memory_mib for one in workers):
        return ""
    about = {"gpus": gpus, "memory": memory_mib, "worker": workers[0].name}
    about |= {"has": workers[0].gpus, "has_memory": workers[0].gpu_memory_mib}
    sentence = _(
        "No worker offers what this run needs: %(gpus)s GPUs with %(memory)s MiB each. The largest one, %(worker)s, "
        "has %(has)s GPUs with %(has_memory)s MiB. Choose a smaller backbone, or start a worker on a larger machine."
    )
    return sentence % about


def cancel(run: Run, *, actor: User | None) -> bool:
    """Cancel a run. Return whether anything changed. A worker ends the program within a few seconds."""
    with transaction.atomic():
        changed = engine.cancel(POLICY, run.pk)
        if changed:
            audit.record("run.cancelled", run, actor=actor, study_slug=run.study.slug)
    return changed


def again(run: Run, *, actor: User | None) -> None:
    """Let a run that failed or was cancelled wait for a worker again. It continues from its last checkpoint.

    Raise Refused: the run is done or open, the same one is open, or its release was withdrawn.
    """
    with transaction.atomic():
        locks.lock(locks.Key.RELEASES, run.study_id)
        require_complete(run.release)
        ended = Run.objects.filter(pk=run.pk, state__in=["failed", "cancelled"])
        with ordered.one_at_a_time(POLICY, _(BUSY), "busy"):
            resumed = engine.resume(ended, fault={})
        if not resumed:
            sentence = _("Only a run that failed or was cancelled can run again. Queue a new run instead.")
            raise Refused(sentence, "not_ended")
        audit.record("run.again", run, actor=actor, study_slug=run.study.slug)
        engine.announce(POLICY, run.pk)
