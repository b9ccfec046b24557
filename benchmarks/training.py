"""Training: pairs a second beside a bare PyTorch loop over the same tensors, and memory against the number of pairs.

Both loops train the same head on the same tensors with the same optimiser, in turn, in one process. Seconds are those
of the processor, which other programs disturb less. Memory is that of a whole run on a release, in a process of its
own: reading, checking, training and evaluating.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import claims

PAIRS, CLIPS = 20_000, 2_000
QUICK_PAIRS = 2_000
ROUNDS, QUICK_ROUNDS = 7, 2
#: Pairs of the releases whose memory is compared.
SIZES, QUICK_SIZES = (2_000, 20_000), (100, 400)
LEAST_SPEED, MOST_GROWTH = 0.9, 1.1
OPTIONS = ("--release", "-", "--epochs", "1", "--log-every", "10", "--save-every", "200")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--memory-of", type=Path, metavar="DIR", help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args(arguments)
    if options.memory_of:
        print(json.dumps({"peak_mib": memory_of(options.memory_of)}), file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        speeds = speed(Path(folder), QUICK_PAIRS if options.quick else PAIRS, QUICK_ROUNDS if options.quick else ROUNDS)
        peaks = [memory(Path(folder), pairs) for pairs in (QUICK_SIZES if options.quick else SIZES)]
    ratio = statistics.median(ours / bare for ours, bare in speeds)
    judged = [
        claims.at_least("pairs a second, against a bare loop", ratio, LEAST_SPEED, "times"),
        claims.at_most("peak memory with ten times the pairs", peaks[-1] / peaks[0], MOST_GROWTH, "times"),
    ]
    print(
        claims.table(
            ["round", "ours, pairs/s", "bare, pairs/s"], [[n, *map(round, one)] for n, one in enumerate(speeds)]
        )
    )
    print(
        claims.table(
            ["pairs", "peak MiB"], list(zip(QUICK_SIZES if options.quick else SIZES, map(round, peaks), strict=True))
        )
    )
    print(claims.claims_table(judged))
    if options.json:
        claims.write(options.json, judged, {"speeds": speeds, "peaks": peaks})
    return 0


def speed(folder: Path, pairs: int, rounds: int) -> list[tuple[float, float]]:
    """Return pairs a second of both loops, by round."""
    import torch

    from training.learn import loop, reward
    from training.learn.checkpoints import Checkpoint
    from training.learn.events import StopSignal
    from training.learn.heads import seeded_head
    from training.learn.options import RewardOptions, parse

    torch.set_num_threads(1)
    options = parse(RewardOptions, [*OPTIONS, "--out", str(folder)], "", "reward")
    task = reward.Preferences(tensors(folder, pairs), options)
    head = lambda: seeded_head(*task.given.sizes, 1, options.rank, 1)  # noqa: E731
    found = []
    for _round in range(rounds + 1):
        began = time.process_time()
        with quiet():
            loop.fit([head()], task, options, Checkpoint(folder, {}), StopSignal())
        between = time.process_time()
        bare(task, head(), options)
        n, now = len(task.training), time.process_time()
        found.append((n / (between - began), n / (now - between)))
    return found[1:]  # the first round loads code


def bare(task: Any, head: Any, options: Any) -> None:
    """Train for one epoch, as anybody would write it: no checkpoint, no lines of progress, no check of the loss."""
    import torch
    import torch.nn.functional as F

    prompts, clips, counts = task.given.prompts, task.given.clips, task.counts[:, 0, :2]
    prompt, clip = task.prompt, task.clip
    optimizer = torch.optim.AdamW(head.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    order = task.training[torch.randperm(len(task.training))]
    for at in range(0, len(order), options.batch_size):
        rows = order[at : at + options.batch_size]
        text = prompts[prompt[rows]]
        two = clips[clip[rows]]
        scores = head(torch.cat([text, text]), torch.cat([two[:, 0], two[:, 1]])).view(2, len(rows))
        difference = scores[1] - scores[0]
        n = counts[rows]
        likelihood = n[:, 0] * F.logsigmoid(-difference) + n[:, 1] * F.logsigmoid(difference)
        loss = -likelihood.sum() / n.sum() + options.score_penalty * scores.square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    with torch.no_grad():  # the validation, which ours has too
        rows = task.validating
        head(prompts[prompt[rows]], clips[clip[rows, 0]])
        head(prompts[prompt[rows]], clips[clip[rows, 1]])


def tensors(folder: Path, pairs: int) -> Any:
    """Return inputs of random numbers in memory-mapped files, as a run has them."""
    import torch

    from training.learn import data, preflight
    from training.learn.features import Reduction
    from training.learn.frames import Frames
    from training.learn.inputs import Inputs

    random, prompts = np.random.default_rng(1), max(10, pairs // 8)
    tables = data.Tables()
    for number in range(prompts):
        tables.clusters.append(str(number))
    tables.prompt_part, tables.prompt_cluster = np.zeros(prompts, np.int8), np.arange(prompts)
    tables.video_prompt = np.repeat(np.arange(prompts), 2)
    which = random.integers(0, prompts, pairs)
    tables.pair_videos = np.stack([2 * which, 2 * which + 1], 1)
    for number in range(pairs):
        tables.pair_ids.add(f"{number:064x}")
    tables.answer_pair = np.arange(pairs)
    tables.answer_choice = random.integers(0, 2, (pairs, 6)).astype(np.int8)
    tables.answer_weight = np.ones((pairs, 6), np.float32)
    found = Frames(random.integers(0, CLIPS, 2 * prompts), [b""] * CLIPS, 0, 0)
    mapped = []
    for name, shape in (("prompts", (prompts, 384)), ("clips", (CLIPS, 52))):
        file = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, shape)
        file[:] = random.normal(size=shape)
        mapped.append(torch.from_numpy(file))
    nothing = np.zeros(pairs, bool)
    checked = preflight.Checked(nothing, nothing, nothing)
    reduction = Reduction(*(np.zeros(1, np.float32) for _ in range(5)))
    return Inputs(None, tables, found, *mapped, reduction, "random", checked)  # type: ignore[arg-type]


class quiet:
    """Send the lines of progress nowhere, but write them."""

    def __enter__(self) -> None:
        self.out, sys.stdout = sys.stdout, open(os.devnull, "w")

    def __exit__(self, *_error: object) -> None:
        sys.stdout.close()
        sys.stdout = self.out


def memory(folder: Path, pairs: int) -> float:
    """Return the peak memory of a run on a release with so many pairs, in MiB."""
    from tests.learn import planted

    prompts = max(2, pairs // 10)
    world = planted.World(
        clips=40, train_pairs=pairs, train_prompts=prompts, test_pairs=pairs // 10, test_prompts=max(2, prompts // 10)
    )
    release = planted.write(folder / str(pairs), replace(world)).folder
    command = [sys.executable, "-m", "benchmarks.training", "--memory-of", str(release)]
    ran = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return float(json.loads(ran.stderr.splitlines()[-1])["peak_mib"])


def memory_of(release: Path) -> float:
    """Train on a release, and return the peak memory of this process in MiB."""
    from training.learn import reward

    cache = release.parent / "embeddings"
    arguments = ["--release", str(release), "--out", str(release / "run"), "--cache", str(cache), "--epochs", "2"]
    if code := reward.main(arguments):
        raise SystemExit(code)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
