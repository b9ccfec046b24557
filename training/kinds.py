"""What can be trained: kinds of models, their targets, and the backbones that they are built on."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.protocol import SUB_DIMENSION_KEYS
from diptych.refusals import BadInput


class Kind(models.TextChoices):
    """What a model says about a video: how good it is, or which harms it has."""

    REWARD = "reward", gettext_lazy("reward")
    MODERATION = "moderation", gettext_lazy("moderation")


#: What a reward model can be trained on, in the order in which families list it. `harmlessness` is the cost model.
TARGETS = ("helpfulness", "harmlessness", *SUB_DIMENSION_KEYS)
#: The question how well a video follows its prompt.
FOLLOWING = SUB_DIMENSION_KEYS[0]
#: Parts of a release on whose prompts generators are compared: no model was trained on them.
COMPARED_PARTS = ("test", "eval")


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network that a model is built on, and what it needs of a worker unless a run asks for something else."""

    label: Promise
    gpus: int = 0
    gpu_memory_mib: int = 0
    #: The number of seeds of a run, whose metrics are averaged.
    seeds: int = 1


#: Those that every worker can train.
BACKBONES = {
    "small": Backbone(gettext_lazy("small: EfficientNet-Lite0 and MiniLM, frozen; any processor"), seeds=3),
}

#: `embed:NAME` is the backbone `embed` with the encoder NAME, which a worker offers: a folder on its machine.
EMBED = "embed:"
LONGEST_ENCODER = 32
ENCODER = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")


def encoder_of(backbone: str) -> str:
    """Return the name of the encoder of a backbone `embed:NAME`; empty for another backbone."""
    name = backbone.removeprefix(EMBED)
    return name if name != backbone and ENCODER.fullmatch(name) else ""


def backbone_of(name: str) -> Backbone | None:
    """Return the backbone of this name, or None if there is none."""
    if encoder := encoder_of(name):
        return Backbone(format_lazy(gettext_lazy("embed: the encoder {name} of a worker"), name=encoder), seeds=3)
    return BACKBONES.get(name)


def checked_targets(kind: str, targets: Collection[str]) -> list[str]:
    """Return the targets of a model in their fixed order. Raise BadInput if the kind cannot have them."""
    if kind == Kind.MODERATION:
        if targets:
            raise BadInput(_("A moderation model has no targets. Leave them out."), field="targets")
        return []
    if not targets:
        raise BadInput(_("Choose at least one target."), field="targets")
    if unknown := sorted(set(targets) - set(TARGETS)):
        about = {"names": ", ".join(unknown)[:200], "known": ", ".join(TARGETS)}
        raise BadInput(_("Unknown targets: %(names)s. Known: %(known)s.") % about, field="targets")
    return [target for target in TARGETS if target in targets]
