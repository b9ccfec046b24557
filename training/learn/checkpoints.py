"""The last whole checkpoint of a run, from which it goes on after a stop or a kill.

It is replaced in one step, and never published. A run that goes on gives the same numbers as one without a break.
"""

import os
from pathlib import Path
from typing import Any

import torch

from training.learn.events import Failed


class Checkpoint:
    """One file in the run folder. `identity` must be the same when a run goes on: the release's hash, the options."""

    def __init__(self, run: Path, identity: dict[str, Any]) -> None:
        self.path = run / "checkpoint" / "state.pt"
        self.identity = identity

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint. Whoever is killed meanwhile leaves the one before. Raise OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".part")
        with aside.open("wb") as file:
            torch.save({"identity": self.identity} | state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self.path)

    def load(self) -> dict[str, Any] | None:
        """Return the state, or None if there is none yet. Raise Failed if it belongs to another release or run."""
        if not self.path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # what a damaged file raises depends on where it is damaged
            raise Failed("bad_checkpoint", f"{self.path} cannot be read: {error}. Start without --resume.") from error
        for name, value in self.identity.items():
            if (before := state["identity"].get(name)) != value:
                what = "The release has changed" if name == "release" else f"The option {name} has changed"
                raise Failed(
                    "release_changed" if name == "release" else "options_changed",
                    f"{what} since the checkpoint in {self.path.parent}: {before} is now {value}. "
                    "Start without --resume.",
                )
        return state

    def remove(self) -> None:
        """Remove what an earlier run left."""
        self.path.unlink(missing_ok=True)
