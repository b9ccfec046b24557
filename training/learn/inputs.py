"""What both kinds of training begin with: the release, its pre-flight report, and its prompts and clips as numbers."""

import json
import os
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

import training.learn
from diptych_client.release_folder import Release
from training.learn import backbones, data, events, features, frames, preflight
from training.learn.backbones import MOST_UNKNOWN, Backbone
from training.learn.data import TRAIN, Tables
from training.learn.events import REFUSED, Failed, StopSignal, emit
from training.learn.features import Cache, Reduction
from training.learn.frames import Frames
from training.learn.heads import ProductHead
from training.learn.options import POLICIES, RunOptions, TrainOptions, as_json

#: Rows that are scored at a time.
ROWS = 4096
#: Prompts whose tokens show whether the backbone knows their language.
LOOKED_AT = 2000


class Scored(Protocol):
    """A release whose videos a model can score, whatever its backbone."""

    release: Release
    tables: Tables
    found: Frames
    checked: preflight.Checked

    def outputs(self, head: Any, prompts: np.ndarray, clips: np.ndarray) -> np.ndarray:
        """Return (n, outputs) of these rows of prompts and of clips, (n,) each."""


@dataclass(eq=False)
class Inputs:
    """A release that a head can read (`Scored`).

    Attributes:
        prompts: (prompts, D) in a memory-mapped file.
        clips: (clips, E) in a memory-mapped file; `found.clip` says which is whose.
        checked: the pre-flight report and what it found.
    """

    release: Release
    tables: Tables
    found: Frames
    prompts: Tensor
    clips: Tensor
    reduction: Reduction
    version: str
    checked: preflight.Checked

    @property
    def sizes(self) -> tuple[int, int]:
        """Return the numbers of a prompt and of a clip."""
        return self.prompts.shape[1], self.clips.shape[1]

    @torch.no_grad()
    def outputs(self, head: ProductHead, prompts: np.ndarray, clips: np.ndarray) -> np.ndarray:
        """Return (n, outputs) of these rows of prompts and of clips, (n,) each."""
        found = [
            head(
                self.prompts[torch.from_numpy(prompts[at : at + ROWS])],
                self.clips[torch.from_numpy(clips[at : at + ROWS])],
            )
            for at in range(0, len(prompts), ROWS)
        ]
        return np.asarray(torch.cat(found)) if found else np.empty((0, head.outputs), np.float32)


def prepare(
    options: RunOptions,
    targets: tuple[str, ...],
    stop: StopSignal,
    backbone: Backbone | None = None,
    reduction: Reduction | None = None,
) -> Inputs:
    """Read the release, check it, and embed it.

    `backbone` and `reduction` are those of a model that exists; without them they are made, as the options say. Raise
    Failed and Stopped.
    """
    release = data.open_release(options.release)
    tables = data.read(release)
    scratch = options.out / "tensors"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    found = frames.find(release, tables)
    checked = check(options, tables, found, targets)
    if backbone is None:
        assert isinstance(options, TrainOptions)  # noqa: S101 - others bring the backbone of a model
        backbone = backbones.make(options.backbone, options.backbone_path)
    _know_language(release, backbone)
    cache = Cache(options.cache, backbone.version)
    features.embed_clips(release, found, backbone, cache, stop)
    prompts = features.embed_prompts(release, scratch / "prompts.npy", backbone, cache, stop)
    reduction = reduction or _fitted(tables, found, prompts, cache, backbone.kept)
    for at in range(0, len(prompts), ROWS):
        prompts[at : at + ROWS] = reduction.prompts(prompts[at : at + ROWS])
    clips = features.reduced_clips(found, cache, reduction, scratch / "clips.npy")
    parts = (torch.from_numpy(prompts), torch.from_numpy(clips))
    return Inputs(release, tables, found, *parts, reduction, backbone.version, checked)


def start(options: RunOptions) -> dict[str, Any]:
    """Write options.json, and return what must be the same when this run goes on."""
    if options.out.exists() and not options.out.is_dir():
        raise Failed("bad_option", f"{options.out} is a file. Give a folder with --out.")
    release = data.open_release(options.release)
    given = as_json(options)
    digest = data.manifest_hash(release)
    about = {
        "options": given,
        "release": {"number": release.manifest.get("release"), "manifest_sha256": digest},
        "code_version": training.learn.__version__,
        "hardware": hardware(),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / "options.json", about)
    may_differ = ["release", "out", "resume", "cache", "log_every", "save_every", "max_steps"]
    may_differ += ["activations", "loaders", "kept_checkpoints", "report_to"]
    return {"release": digest} | {k: v for k, v in given.items() if k not in may_differ}


def finish(options: RunOptions, began: float) -> None:
    """Remove what only training needed, and write how long it took."""
    shutil.rmtree(options.out / "tensors", ignore_errors=True)
    about = json.loads((options.out / "options.json").read_text())
    write_json(options.out / "options.json", about | {"wall_s": round(time.monotonic() - began, 1)})


def hardware() -> dict[str, Any]:
    """Return what the numbers and the speed depend on."""
    gpus = [torch.cuda.get_device_name(one) for one in range(torch.cuda.device_count())]
    return {
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": gpus,
        "torch": torch.__version__,
    }


def write_results(out: Path, predictions: Path, metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the complete file of predictions its name, and write metrics.json. Return the metrics."""
    os.replace(predictions, out / "predictions.parquet")
    write_json(out / "metrics.json", metrics)
    return metrics


def write_json(path: Path, value: Any) -> None:
    """Write a file whole or not at all. Of several processes of a launcher the first one writes."""
    if not events.is_first():
        return
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n", "utf-8")
    os.replace(aside, path)


def check(options: RunOptions, tables: Tables, found: Frames, targets: tuple[str, ...]) -> preflight.Checked:
    """Write and print the pre-flight report. Raise Failed if the release has leaks, or a policy refuses it."""
    policy: Mapping[str, str] = options.policy or {name: choices[0] for name, choices in POLICIES.items()}
    checked = preflight.check(preflight.of_tables(tables, found, targets), targets, policy)
    checked.report |= {
        "clips": len(found.digests),
        "frames_missing": found.missing,
        "frames_unreadable": found.unreadable,
    }
    write_json(options.out / "preflight.json", checked.report)
    emit("preflight", report=checked.report)
    preflight.refuse(checked.report)
    return checked


def _know_language(release: Release, backbone: Backbone) -> None:
    texts = [one.text for one, _ in zip(release.prompts(), range(LOOKED_AT), strict=False)]
    share = backbone.unknown_share(texts)
    if share > MOST_UNKNOWN:
        raise Failed(
            "unknown_language",
            f"The text encoder of this backbone does not know {share:.0%} of the words of the prompts, so different "
            "prompts look the same to it. Use --backbone embed with an encoder that reads their language.",
            REFUSED,
        )


def _fitted(tables: Tables, found: Frames, prompts: np.ndarray, cache: Cache, kept: int) -> Reduction:
    """Fit the reduction on what is in training, validation included. Raise Failed if there is nothing."""
    in_training = tables.prompt_part == TRAIN
    clips = np.unique(found.clip[in_training[tables.video_prompt]])
    clips = clips[clips >= 0]
    if len(clips) < 2:
        raise Failed(
            "too_small", f"The release has {len(clips)} different clips in training. A model needs at least 2.", REFUSED
        )
    embedded = (one for row in clips if (one := cache.get(found.digests[row])) is not None)
    return features.fit_reduction(embedded, np.asarray(prompts)[in_training], kept)
