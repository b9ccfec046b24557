"""Let simulated people answer what is imported, and take it through quality control as one lot."""

from dataclasses import replace

from annotation import draws
from demo.example import material
from qc import lots
from qc.models import Lot
from simulation import reviewing
from simulation.driver import Work, Worker
from simulation.material import Simulated
from simulation.people import crowd
from simulation.reviewers import staff
from simulation.reviewing import Reviewing
from studies.models import Study

#: People are right so often that a good model can reach about nine in ten.
ACCURACIES, SIDE_BIAS, SEVERITY = (0.88, 0.97), 0.02, 0.3
#: Of the defects that a good lot may have, how many each lot has. So hardly any lot is returned by chance.
DEFECTS = 0.5


def answer_all(simulated: Simulated) -> None:
    """Let everybody work until nobody is given a pair. What was answered before stays."""
    with draws.named(simulated.names):
        _work(simulated).do()


def review(simulated: Simulated, number: int) -> Lot:
    """Return the lot with this number in review, with only its decision left. Its batches are all that have no lot.

    A lot whose review was begun and stopped in the middle is continued: reviewers get what is left.
    """
    study = simulated.study
    checking = _reviewing(simulated, _work(simulated))
    lot = Lot.objects.filter(study=study, number=number).first()
    if lot is None:
        ready = [batch.number for batch in lots.candidates(study)]
        lot = lots.put_together(study, ready, actor=checking.head)
    if lot.state == Lot.State.DRAFT:
        lots.start(lot, actor=checking.head)
    checking.check(lot, good=True, share=DEFECTS)
    lot.refresh_from_db()
    return lot


def accept(simulated: Simulated, lot: Lot) -> None:
    """Decide the lot as its plan says. Raise RuntimeError if it is not accepted."""
    _reviewing(simulated, _work(simulated)).decide(lot)
    lot.refresh_from_db()
    if lot.state != Lot.State.ACCEPTED:
        raise RuntimeError(f"Lot {lot.number} of the example is {lot.state}, and should have been accepted.")


def lot_of(study: Study, number: int) -> Lot | None:
    """Return the lot with this number, or None."""
    return Lot.objects.filter(study=study, number=number).first()


def _work(simulated: Simulated) -> Work:
    study = simulated.study
    pairs = material.pairs_of(study)
    people = crowd(
        len(simulated.annotators),
        study.seed,
        accuracies=ACCURACIES,
        side_bias=SIDE_BIAS,
        careless=0.0,
        severity=SEVERITY,
    )
    workers = [Worker(person, user) for person, user in zip(people, simulated.annotators, strict=True)]
    places = {pair.pk: place for place, pair in enumerate(pairs)}
    return Work(study, material.world_of(study, pairs), study.seed, workers, places)


def _reviewing(simulated: Simulated, work: Work) -> Reviewing:
    # Nobody leaves a verdict to somebody else: with so few people, nobody might be left for it.
    reviewers = [replace(one, passes_on=0.0) for one in staff(len(simulated.reviewers), work.seed)]
    researchers = staff(len(simulated.researchers), work.seed, first=len(reviewers))
    researchers = [replace(one, passes_on=0.0) for one in researchers]
    return reviewing.begin(simulated, work, reviewers, researchers)
