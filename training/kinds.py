"""What can be trained: kinds of models, their targets, and the backbones that they are built on."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
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


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network that a model is built on, and what it needs of a worker unless a run asks for something else."""

    label: Promise
    gpus: int = 0
    gpu_memory_mib: int = 0
    #: The number of seeds of a run, whose metrics are averaged.
    seeds: int = 1


#: Those that a worker can train. `embed` is trained by hand only: it needs a folder of the user's.
BACKBONES = {
    "small": Backbone(gettext_lazy("small: EfficientNet-Lite0 and MiniLM, frozen; any processor"), seeds=3),
}


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
