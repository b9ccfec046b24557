"""The model card: README.md in the folder of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.learn.options import LARGE

SMALL_LIMITS = """- This backbone is a baseline. Its text and its pictures share no space, so it cannot be
  expected to judge whether real footage follows a prompt. It learns what people preferred in this release.
- Prompts are read in English only."""
OTHER_LIMITS = "- The limits of its encoder are those of this model."
LARGE_LIMITS = """- The folder has only the weights that training changed. To load the model you need the
  checkpoint that it was trained from: `{backbone_path}`. Its limits and its licence hold too."""
SIMULATED = """
**The answers are simulated: a program gave them, and no person judged anything. Do not use this model for anything
but trying Diptych out.**
"""
MEANS = {
    "reward": "A score says how good a video is for its prompt, compared with other videos of the same prompt.\n"
    "Scores of different prompts cannot be compared.",
    "moderation": "A probability says how likely a person is to give a video this tag, together with its prompt.",
}
COST = " The cost is the negative score of harmlessness."
CARD = """---
library_name: diptych-learn
tags: [{kind}, text-to-video]
---
# {title}: {targets}

Trained on release {release} of “{study}” (licence of the data: {licence}), with the backbone
`{backbone}` ({version}), diptych-learn {code}, seeds {seeds}. The model scores with the mean of its {heads} heads.
{simulated}
```python
from training.learn import load

model = load("model")
model.score([("A red ball rolls to the left", frames)])
```

## What it is for

{means}

It was trained on people's opinions. Do not use it to judge the people who gave them.

## How good it is

{table}

Every figure is the mean over the heads, on single answers to test prompts. The interval covers 95 % of 2,000 draws of
clusters of prompts. With fewer than 50 clusters there is none.

## Limits

{limits}

## What was done with answers that teach nothing

{policy}
"""


def text(kind: str, targets: Sequence[str], about: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> str:
    """Return the card, in Markdown. The licence of a model is for people to decide, so the card states none."""
    release = about["release"]
    return CARD.format(
        kind=kind,
        title="Preference scores" if kind == "reward" else "Probabilities of harm tags",
        targets=", ".join(targets),
        release=release["release"],
        study=release["title"],
        licence=release["licence"] or "not stated",
        backbone=about["backbone"],
        version=about["backbone_version"],
        code=about["code_version"],
        seeds=", ".join(map(str, about["seeds"])),
        heads=len(about["seeds"]),
        simulated=SIMULATED if release.get("simulated") else "",
        means=MEANS[kind] + (COST if "harmlessness" in targets else ""),
        table=_table(metrics),
        limits=_limits(about),
        policy="\n".join(f"- {name}: {value}" for name, value in sorted(about["policy"].items())),
    )


def _limits(about: Mapping[str, Any]) -> str:
    if about["backbone"] in LARGE:
        return LARGE_LIMITS.format(backbone_path=about["backbone_path"])
    return SMALL_LIMITS if about["backbone"] == "small" else OTHER_LIMITS


def _table(metrics: Sequence[Mapping[str, Any]]) -> str:
    heads = ("what", "figure", "value", "interval", "answers", "baseline", "note")
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for one in metrics:
        between = f"{one['low']:.3f} to {one['high']:.3f}" if one["low"] is not None else "–"
        value, baseline = (f"{one[name]:.3f}" if one[name] is not None else "–" for name in ("value", "baseline"))
        figure = one["figure"].replace("_", " ")
        cells = (one["tag"] or one["target"], figure, value, between, str(one["n"]), baseline, one["note"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
