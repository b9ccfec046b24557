"""Make the example, step by step. Each step looks whether it is done, so a stopped command goes on where it was."""

from collections.abc import Callable
from pathlib import Path

from catalog.media_progress import count
from demo.example import lots, material, study, training
from diptych.embedded.state import Home
from simulation.material import Simulated

#: The lots that are accepted. The next one waits for the person who tries the demo.
ACCEPTED_LOTS = 2


def make(home: Home, say: Callable[[str], None]) -> None:
    """Make the study, its lots, its first releases and models. Raise RuntimeError, Refused or OSError."""
    folder = _folder(home)
    simulated = study.get_or_make()
    study.write_worker_token(home)
    material.import_prompts(folder)
    for number in range(1, ACCEPTED_LOTS + 1):
        _lot(simulated, folder, number, say)
        _models(simulated, home, number, say)
    _last_lot(simulated, folder, say)


def _lot(simulated: Simulated, folder: Path, number: int, say: Callable[[str], None]) -> None:
    """Bring in the pairs of a lot, and have them answered, reviewed and accepted."""
    found = lots.lot_of(simulated.study, number)
    if found is not None and found.is_decided:
        return
    say(f"Lot {number}: importing")
    _wave(simulated, folder, number - 1)
    say(f"Lot {number}: answering")
    lots.answer_all(simulated)
    say(f"Lot {number}: reviewing")
    lots.accept(simulated, lots.review(simulated, number))


def _models(simulated: Simulated, home: Home, number: int, say: Callable[[str], None]) -> None:
    """Wait for the release of an accepted lot and for the models that are trained on it.

    The pairs of the next lot come in before, so that the promoted version has something new to score.
    """
    of = simulated.study
    if number == 1:
        training.make_first_release(of)
    say(f"Release {number}")
    training.wait(lambda: training.release(of, number), f"Release {number} of the example")
    training.set_rules(of)
    if number == ACCEPTED_LOTS:
        _wave(simulated, _folder(home), number)
    say(f"Models trained on release {number}")
    training.wait(lambda: training.is_trained(of, number, home), f"Training on release {number} of the example")


def _last_lot(simulated: Simulated, folder: Path, say: Callable[[str], None]) -> None:
    """Have the last lot answered and reviewed, and bring in new pairs, which nobody has answered."""
    number = ACCEPTED_LOTS + 1
    if not material.has_wave(simulated.study, number):
        say(f"Lot {number}: answering")
        lots.answer_all(simulated)
        say(f"Lot {number}: reviewing")
        lots.review(simulated, number)
    say("New pairs")
    _wave(simulated, folder, number)


def _folder(home: Home) -> Path:
    """Return the folder of clips and manifests."""
    folder = home.path / "example-clips"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _wave(simulated: Simulated, folder: Path, wave: int) -> None:
    """Import the pairs of a wave, unless they are there, and wait until their videos are ready."""
    if not material.has_wave(simulated.study, wave):
        material.import_wave(simulated.study, folder, wave)
    training.wait(lambda: not count(simulated.study).unfinished, "Preparing the videos of the example")
