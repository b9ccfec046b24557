"""What can be trained: kinds of models, their targets, and the backbones that they are built on."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

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
    #: Whether it reads the videos of a release, and not only their frames.
    needs_videos: bool = False


#: Those that every worker can train.
BACKBONES = {
    "small": Backbone(gettext_lazy("small: EfficientNet-Lite0 and MiniLM, frozen; any processor"), seeds=3),
}

#: Backbones with weights that a worker offers under a name: `embed:clip`, `qwen-vl:2b`. The folder is on its machine.
OFFERED = {
    "embed": Backbone(gettext_lazy("an encoder that a worker offers, frozen"), seeds=3),
    "qwen-vl": Backbone(gettext_lazy("a checkpoint that a worker offers, with LoRA"), needs_videos=True),
    "video-llava": Backbone(gettext_lazy("a checkpoint that a worker offers"), needs_videos=True),
}
LONGEST_OFFERED = 44
OFFERED_NAME = re.compile(rf"^({'|'.join(OFFERED)}):[A-Za-z0-9][A-Za-z0-9._-]{{0,31}}\Z")
#: How these are written in help texts.
OFFERED_HELP = ", ".join(f"{kind}:NAME" for kind in OFFERED)


def is_offered(backbone: str) -> bool:
    """Return whether a backbone is one of those that a worker has to offer."""
    return OFFERED_NAME.fullmatch(backbone) is not None


def backbone_of(name: str) -> Backbone | None:
    """Return the backbone of this name, or None if there is none."""
    if is_offered(name):
        found = OFFERED[name.partition(":")[0]]
        return replace(found, label=format_lazy("{name}: {about}", name=name, about=found.label))
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
