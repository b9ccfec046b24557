"""The large backbones `qwen-vl` and `video-llava`: networks that read playback files and are trained themselves.

They need the extra `large`. The rest of the programs is the same: what is learned, and how a model is evaluated.
"""

from typing import Any

from training.learn.events import Failed


def prepare(*arguments: Any) -> Any:
    """Read and check a release: `training.learn.large.inputs.prepare`."""
    _need_extra()
    from training.learn.large import inputs

    return inputs.prepare(*arguments)


def fit(*arguments: Any, **more: Any) -> Any:
    """Train, and return the model: `training.learn.large.trainer.fit`."""
    from training.learn.large import trainer

    return trainer.fit(*arguments, **more)


def of_weights(*arguments: Any) -> Any:
    """Return a model with the weights of its file: `LargeModel.of_weights`."""
    _need_extra()
    from training.learn.large.models import LargeModel

    return LargeModel.of_weights(*arguments)


def _need_extra() -> None:
    try:
        import accelerate  # noqa: F401
        import av  # noqa: F401
        import peft  # noqa: F401
    except ImportError as error:
        raise Failed(
            "bad_option", f"This backbone needs the extra large ({error}): pip install 'diptych-learn[large]'"
        ) from error
