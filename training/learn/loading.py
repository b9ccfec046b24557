"""Load a model of any backbone from its folder."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from training.learn import large
from training.learn.events import Failed
from training.learn.models import VERSION, WEIGHTS, Model, Trained
from training.learn.options import LARGE


def load(folder: str | Path, backbone_path: str = "") -> Trained:
    """Return the model of a folder. Raise Failed if it is none, or made by a newer version.

    Args:
        backbone_path: folder of the backbone on this machine. Default: the one on which the model was trained.
    """
    root = Path(folder)
    try:
        about = json.loads((root / "model.json").read_text("utf-8"))
        weights = load_file(root / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise Failed(
            "bad_model", f"{root} is no folder of a model: {error}. Give the folder `model` of a run."
        ) from error
    if about.get("model") != VERSION:
        raise Failed("bad_model", f"{root} was made by another version: {about.get('model')} instead of {VERSION}.")
    if backbone_path:
        about["backbone_path"] = backbone_path
    kind, targets = about.pop("kind"), tuple(about.pop("targets"))
    of_weights = large.of_weights if about["backbone"] in LARGE else Model.of_weights
    return of_weights(kind, targets, about, weights)
