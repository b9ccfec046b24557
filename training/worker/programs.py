"""The command that does a run, and the files that it leaves in the run folder."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from training.worker.server import Claimed

#: The package with the programs.
PROGRAMS = "training.learn"
#: In the run folder: what is uploaded, if it is there. `checkpoint/` never is.
PUBLISHED = (
    *("metrics.json", "preflight.json", "options.json"),
    *("predictions.parquet", "video_scores.parquet", "scores.jsonl"),
)
MODEL_ENDINGS = (".safetensors", ".json", ".md", ".txt")
CHECKPOINT = "checkpoint"
SCORES = "scores.jsonl"

#: Exit statuses of the programs: 0 done, and these. Every other one is a crash, after which the run is tried again.
BAD_INPUT, REFUSED, NOT_FINITE, STOPPED = 2, 3, 4, 75
FINAL = {
    BAD_INPUT: ("bad_options", "The program could not read the release, or an option is wrong. Its log says more."),
    REFUSED: ("preflight", "The check before the training refused the release. Its report says why."),
    NOT_FINITE: ("non_finite_loss", "The loss was not a finite number. The log names the pairs."),
}


def command(
    run: Claimed,
    *,
    programs: str,
    release: Path,
    out: Path,
    model: Path | None,
    backbones: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return the command line of the program of a run. Raise ValueError if the worker has not its backbone any more.

    Args:
        release: its folder, or the items of a run that scores.
        backbones: folders of the backbones that the worker offers, such as `qwen-vl:2b`.
    """
    at: tuple[str, ...] = ()
    backbone, _, given = run["backbone"].partition(":")
    if given:
        if run["backbone"] not in backbones:
            raise ValueError(f"This worker does not offer the backbone {run['backbone']} any more.")
        at = ("--backbone-path", backbones[run["backbone"]])
    if run["purpose"] == "score":
        files = ("--items", str(release), "--out", str(out / SCORES))
        return _python(run | {"gpus": 0}, f"{programs}.score", "--model", str(model), *files, *at)
    if run["purpose"] == "evaluate":
        about = ("--release", str(release), "--model", str(model), "--out", str(out))
        return _python(run, f"{programs}.evaluate", *about, *at)
    options = ["--release", str(release), "--out", str(out), "--backbone", backbone, *at]
    options += ["--seed", str(run["seed"]), "--seeds", str(run["seeds"])]
    if run["targets"]:
        options += ["--targets", *run["targets"]]
    for name, value in sorted(run["options"].get("policies", {}).items()):
        options += ["--policy", f"{name}={value}"]
    if steps := run["options"].get("max_steps"):
        options += ["--max-steps", str(steps)]
    if (out / CHECKPOINT).exists():
        options.append("--resume")
    return _python(run, f"{programs}.{run['kind']}", *options)


def _python(run: Claimed, module: str, *options: str) -> list[str]:
    """Return the command that runs a module: with several GPUs one process for each, by `accelerate`."""
    if run["gpus"] > 1:
        launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(run["gpus"])]
        return [*launch, "-m", module, *options]
    return [sys.executable, "-m", module, *options]


def published(out: Path) -> list[str]:
    """Return the paths of the files of a run folder that are uploaded. Links are left out."""
    named = [name for name in PUBLISHED if (out / name).is_file()]
    model = sorted(path for path in (out / "model").rglob("*") if path.is_file() and not path.is_symlink())
    return [*named, *(path.relative_to(out).as_posix() for path in model if path.suffix in MODEL_ENDINGS)]


def metrics(out: Path) -> list[dict[str, Any]]:
    """Return the metrics of a run folder; none if it has scores. Raise ValueError if they cannot be used."""
    if (out / SCORES).is_file():
        return []
    try:
        text = (out / "metrics.json").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError("The program ended well and left no metrics.json.") from error
    found = json.loads(text, parse_constant=_refuse_constant)
    if not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        raise ValueError("metrics.json is no list of metrics.")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"metrics.json has {name}, which is not a finite number.")
