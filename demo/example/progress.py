"""What the page of the example shows: each step with its state, a link, and the time that is left."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import Label, Pair
from demo.example import material
from demo.example.making import ACCEPTED_LOTS
from demo.example.prompts import NEW_PROMPTS, PROMPTS
from demo.example.training import installation
from jobs.pages import grouped
from qc.models import Lot
from releases.models import Release
from studies.models import Study
from training import scoring
from training.models import ModelVersion, Run


class State(StrEnum):
    """The state of a step. `YOURS`: it waits for the person who tries the demo."""

    DONE = "done"
    NOW = "now"
    YOURS = "yours"
    WAITS = "waits"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `address` is empty as long as there is nothing to see."""

    name: str
    is_done: bool
    said: str = ""
    address: str = ""
    is_yours: bool = False
    has_failed: bool = False
    #: How long it takes on two processors, in seconds.
    typical_s: int = 0
    state: State = State.WAITS


def steps(study: Study) -> list[Step]:
    """Return the steps in their order."""
    found = [_material(study)]
    for number in range(1, ACCEPTED_LOTS + 1):
        found += [_lot(study, number), _release(study, number), _models(study, number)]
    found += [_scores(study, ACCEPTED_LOTS), _last_lot(study)]
    last = ACCEPTED_LOTS + 1
    found += [_release(study, last), _models(study, last), _scores(study, last)]
    return _with_states(found)


def seconds_left(found: list[Step]) -> int:
    """Return about how long it takes until the person can do something; 0 if they can now."""
    before = []
    for step in found:
        if step.is_yours:
            break
        before.append(step)
    return sum(step.typical_s for step in before if not step.is_done)


def _with_states(found: list[Step]) -> list[Step]:
    shown, is_first = [], True
    for step in found:
        state = State.WAITS
        if step.is_done:
            state = State.DONE
        elif step.has_failed:
            state, is_first = State.FAILED, False
        elif is_first:
            state, is_first = (State.YOURS if step.is_yours else State.NOW), False
        shown.append(_with(step, state))
    return shown


def _with(step: Step, state: State) -> Step:
    values: dict[str, Any] = {name: getattr(step, name) for name in Step.__slots__}
    return Step(**values | {"state": state})


def _link(study: Study, name: str) -> Callable[..., str]:
    return lambda *about: reverse(name, args=[study.slug, *about])


def _material(study: Study) -> Step:
    is_done = material.has_wave(study, 0)
    said = _("%(prompts)s prompts, each with clips of four generators.") % {"prompts": grouped(PROMPTS)}
    address = _link(study, "catalog:pairs")() if is_done else ""
    return Step(_("Prompts and videos are imported"), is_done, said, address, typical_s=60)


def _lot(study: Study, number: int) -> Step:
    lot = Lot.objects.filter(study=study, number=number).first()
    said = _("Simulated people answer and review. The lot’s page has the rate of defects with its interval.")
    if lot is not None and lot.frame_size:
        said = _("Answers: %(n)s. The lot’s page has the rate of defects with its interval.") % {
            "n": grouped(lot.frame_size)
        }
    is_done = lot is not None and lot.state == Lot.State.ACCEPTED
    address = _link(study, "qc:lot")(number) if lot else ""
    seconds = 25 if number == 1 else 120
    return Step(_("Lot %(n)s is accepted") % {"n": number}, is_done, said, address, typical_s=seconds)


def _last_lot(study: Study) -> Step:
    number = ACCEPTED_LOTS + 1
    lot = Lot.objects.filter(study=study, number=number).first()
    is_decided = lot is not None and lot.is_decided
    is_ready = lot is not None and not is_decided and material.has_wave(study, number)
    name = _("Lot %(n)s is accepted") % {"n": number}
    address = _link(study, "qc:lot")(number) if is_decided or is_ready else ""
    if is_decided:
        return Step(name, is_done=True, address=address)
    if is_ready:
        said = _(
            "It is reviewed. Open it, press Decide, and accept it. A release, models and scores follow by themselves."
        )
        return Step(_("Accept lot %(n)s") % {"n": number}, False, said, address, is_yours=True)
    said = _("It will wait for you, reviewed. %(n)s new prompts come with it.") % {"n": NEW_PROMPTS}
    return Step(name, is_done=False, said=said, typical_s=50)


def _release(study: Study, number: int) -> Step:
    release = Release.objects.filter(study=study, number=number).first()
    name = _("Release %(n)s") % {"n": number}
    if release is None:
        said = _("It will have a data card, figures and files.")
        return Step(name, False, said, typical_s=25)
    is_done = release.state == Release.State.DONE
    said = ""
    if is_done:
        about = {"n": grouped(release.counts["answers"])}
        said = _("Answers: %(n)s. It has a data card, figures and files.") % about
        if release.parent_id:
            said = (
                _("Answers: %(n)s. It has a data card, figures, files and the difference to the release before.")
                % about
            )
    return Step(name, is_done, said, _link(study, "releases:release")(number), typical_s=25)


def _models(study: Study, number: int) -> Step:
    runs = Run.objects.filter(study=study, release__number=number, purpose=Run.Purpose.TRAIN)
    versions = ModelVersion.objects.filter(run__in=runs).select_related("family").order_by("pk")
    decided = [one for one in versions if one.state != ModelVersion.State.CANDIDATE]
    name = _("Models trained on release %(n)s") % {"n": number}
    address = _link(study, "models:list")() if decided else _link(study, "training:list")() if runs else ""
    states = list(runs.values_list("state", flat=True))
    if len(states) > 1 and all(state in {"failed", "cancelled"} for state in states):
        return Step(name, False, _("The runs failed. Each says why."), address, has_failed=True)
    said = _("A rule of the study queues the runs, and each version is compared with the promoted one.")
    if installation(settings.HOME).get("state") == "failed":
        said = _("The training programs could not be installed. The log training-install says why.")
        return Step(name, False, said, address, has_failed=True)
    if installation(settings.HOME).get("state") == "installing":
        said = _("The training programs are being installed.")
    reward = next((one for one in decided if one.family.kind == "reward"), None)
    is_done = len(decided) > 1
    if is_done and reward is not None:
        about = {"version": reward.number, "reason": _(reward.reason)}
        said = _("Version %(version)s of the preference model: %(reason)s") % about
        address = _link(study, "models:version")(reward.family_id, reward.number)
    return Step(name, is_done, said, address, typical_s=60)


def _scores(study: Study, number: int) -> Step:
    """Return the step in which the promoted version scores what came after release `number`."""
    name = _("New videos are scored")
    runs = Run.objects.filter(study=study, purpose=Run.Purpose.SCORE, state=Run.State.DONE).order_by("pk")
    place = number - ACCEPTED_LOTS
    run = next(iter(runs[place : place + 1]), None)
    if run is None or run.version is None:
        return Step(name, False, _("The promoted version scores the pairs that came after its release."), typical_s=45)
    scored = Label.objects.filter(study=study, labeller=scoring.labeller(run.version), video__in=run.options["videos"])
    said = _("Videos: %(n)s. Each plays beside its scores. Annotators never see them.") % {
        "n": grouped(scored.values("video").distinct().count())
    }
    pair = Pair.objects.filter(study=study, video_0__in=run.options["videos"]).order_by("pk").first()
    address = _link(study, "catalog:pair")(pair.public_id) if pair else _link(study, "catalog:labels")()
    return Step(name, True, said, address)
