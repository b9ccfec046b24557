"""The options of the programs, as dataclasses whose fields have a line of help each."""

import argparse
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from diptych_client.release_folder.vocabulary import QUESTIONS

#: Large networks that read the playback files and are trained themselves. They need the extra `large`.
LARGE = ("qwen-vl", "video-llava")
BACKBONES = ("small", "embed", *LARGE)
#: Defaults that differ: of the paper for `video-llava`, and of VideoAlign for `qwen-vl`.
DEFAULTS: dict[str, dict[str, Any]] = {
    "video-llava": {"epochs": 3, "batch_size": 8, "learning_rate": 2e-5, "weight_decay": 0.1},
    "qwen-vl": {"epochs": 3, "batch_size": 32, "learning_rate": 2e-6, "weight_decay": 0.0},
}
#: What to do with answers that teach nothing or count too much: choices by name. The first one is the default.
POLICIES = {
    "same_frames": ("drop", "keep"),
    "contradictions": ("keep", "drop"),
    "swapped": ("drop", "keep"),
    "ties": ("model", "drop", "half"),
    "always_video_0": ("keep", "refuse"),
}
Options = TypeVar("Options")


def option(default: Any, help: str, **more: Any) -> Any:
    """Return a field with its line of help. `more` goes to `argparse`."""
    return field(default=default, metadata={"help": help} | more)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What all programs that write a run folder have in common."""

    release: Path = field(metadata={"help": "release folder"})
    out: Path = field(metadata={"help": "run folder; it is made if it does not exist"})
    policy: dict[str, str] = field(
        default_factory=dict, metadata={"help": "what to do with answers that teach nothing", "metavar": "NAME=VALUE"}
    )
    cache: str = option("", "folder of embeddings, which runs share; default: in your folder for caches")


@dataclass(frozen=True, kw_only=True)
class BackboneOptions:
    """What a model of a large backbone is built from. It is stored with the model."""

    backbone: str = option("small", "what turns prompts and videos into numbers", choices=BACKBONES)
    backbone_path: str = option(
        "", "folder or hub id of the backbone's weights; `small` needs none", also="--checkpoint"
    )
    prompt_tokens: int = option(256, "large backbones: longer prompts are cut")
    frames_per_second: float = option(2.0, "qwen-vl: frames that it sees of a second of video")
    most_frames: int = option(32, "qwen-vl: frames that it sees of a video at most")
    most_pixels: int = option(448 * 448, "qwen-vl: pixels of a frame; larger ones are made smaller")
    lora_rank: int = option(64, "qwen-vl: rank of LoRA")
    lora_alpha: int = option(128, "qwen-vl: scale of LoRA, divided by the rank")
    lora_dropout: float = option(0.05, "qwen-vl: dropout of LoRA")


@dataclass(frozen=True, kw_only=True)
class LargeOptions:
    """How a large backbone is trained. Of its other options, the paper's and VideoAlign's are the defaults."""

    warm_up: float = option(0.03, "large backbones: share of the steps in which the learning rate rises")
    device_batch: int = option(1, "large backbones: rows that a device computes at a time; batches are made of several")
    activations: str = option(
        "recompute",
        "large backbones: `recompute` them to save memory, or `keep` them to save time",
        choices=("recompute", "keep"),
    )
    precision: str = option(
        "auto", "large backbones: bfloat16 where a GPU has it, or float32", choices=("auto", "float32")
    )
    trained_as: str = option(
        "float32",
        "large backbones: type of the trained weights; bfloat16 needs half the memory, and loses small changes",
        choices=("float32", "bfloat16"),
    )
    loaders: int = option(0, "large backbones: processes for each device that decode videos; 0: in the program itself")
    kept_checkpoints: int = option(2, "large backbones: checkpoints that are kept")
    report_to: str = option("none", "large backbones: also report to this, such as `mlflow`, which you set up")


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunOptions, BackboneOptions, LargeOptions):
    """What `reward` and `moderation` have in common."""

    seed: int = option(1, "decides the first weights, the order of pairs, and which clusters validate")
    seeds: int = option(1, "train so many models, with seeds one after another; the result scores with their mean")
    resume: bool = option(False, "go on from the last checkpoint of this run folder")
    max_steps: int = option(0, "stop each seed after so many steps; 0: at the end of its epochs")
    epochs: int = option(40, "passes over the training pairs; early stopping usually ends sooner")
    patience: int = option(6, "epochs without a better validation loss after which training stops")
    batch_size: int = option(64, "rows of a step")
    learning_rate: float = option(2e-3, "of AdamW")
    weight_decay: float = option(0.3, "of AdamW")
    rank: int = option(32, "products of prompt and video that a score sums up")
    save_every: int = option(200, "steps between two checkpoints")
    log_every: int = option(10, "steps between two lines of progress")


@dataclass(frozen=True, kw_only=True)
class RewardOptions(TrainOptions):
    """Options of `reward`."""

    targets: tuple[str, ...] = option(
        ("helpfulness",), "questions to train on; several share one run", choices=QUESTIONS
    )
    score_penalty: float = option(1e-3, "weight of the mean squared score, which keeps scores near 0")
    smoothing: float = option(0.0, "added to both counts of a pair; above 0 scores come out too weak")
    reliability: bool = option(False, "weight answers by the reliability of their authors, if the release has weights")


@dataclass(frozen=True, kw_only=True)
class ModerationOptions(TrainOptions):
    """Options of `moderation`."""

    most_weight: float = option(10.0, "largest weight of a positive answer; else negatives by positives")


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(RunOptions):
    """Options of `evaluate`."""

    model: Path = field(metadata={"help": "folder of the model"})
    backbone_path: str = option("", "folder of the backbone on this machine; default: as the model names it")


def parse(kind: type[Options], arguments: list[str] | None, description: str, prog: str) -> Options:
    """Return the options of a command line. Exit with code 2 for wrong ones, as `argparse` does."""
    parser = argparse.ArgumentParser(prog=f"python -m training.learn.{prog}", description=description)
    for one in dataclasses.fields(kind):  # type: ignore[arg-type]
        _add(parser, one)
    parsed = parser.parse_args(arguments)
    if others := DEFAULTS.get(getattr(parsed, "backbone", "")):
        parser.set_defaults(**others)
        parsed = parser.parse_args(arguments)
    given = vars(parsed)
    if "policy" in given:
        given["policy"] = _policies(given["policy"], parser)
    if "targets" in given:
        given["targets"] = tuple(dict.fromkeys(given["targets"]))
    return kind(**given)


def as_json(options: Any) -> dict[str, Any]:
    """Return options as values that JSON has."""
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in dataclasses.asdict(options).items()
    }


def _add(parser: argparse.ArgumentParser, one: Any) -> None:
    about = dict(one.metadata)
    names = [f"--{one.name.replace('_', '-')}", *([about.pop("also")] if "also" in about else [])]
    if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
        parser.add_argument(*names, type=Path, required=True, metavar="DIR", **about)
        return
    default = one.default_factory() if one.default is dataclasses.MISSING else one.default
    of_large = "".join(f"; {name}: {values[one.name]}" for name, values in DEFAULTS.items() if one.name in values)
    about["help"] += "" if default in ("", False, (), {}) else f" (default: {_words(default)}{of_large})"
    if isinstance(default, bool):
        parser.add_argument(*names, action="store_true", help=about["help"])
    elif isinstance(default, tuple | dict):
        parser.add_argument(*names, nargs="+", default=default, **about)
    else:
        parser.add_argument(*names, type=type(default), default=default, **about)


def _words(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else f"{value}"


def _policies(given: dict[str, str] | list[str], parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the policy of each kind. What is not given has its default."""
    policy = {name: choices[0] for name, choices in POLICIES.items()}
    for word in given:
        name, _, value = word.partition("=")
        if value not in POLICIES.get(name, ()):
            known = "; ".join(f"{key}: {', '.join(choices)}" for key, choices in POLICIES.items())
            parser.error(f"argument --policy: {word} is none. Policies are {known}.")
        policy[name] = value
    return policy
