"""Train models on a release of a Diptych server, and score videos with them. Nothing here needs Django.

    from training.learn import load

    model = load("run-1/model")
    model.score([("A red ball rolls to the left", frames)])  # frames: 8 pictures (PIL), or paths of JPEG files

Each kind of model is one program: `python -m training.learn.reward --release DIR --out DIR`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.learn.loading import load

__version__ = "0.1.0"
__all__ = ["load"]


def __getattr__(name: str) -> Any:
    if name == "load":  # loads torch, which takes seconds
        from training.learn.loading import load

        return load
    raise AttributeError(f"module {__name__} has no attribute {name}")
