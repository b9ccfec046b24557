"""Write controls: pairs of their own, in a batch of their own."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from catalog.models import Batch, Pair
from controls.control_kinds import KINDS
from controls.models import Control
from media.models import new_public_id
from studies.models import Study

#: The batch of the controls of each study. It stays open, so that a control can be served whatever happens to lots.
BATCH_NUMBER = 0
#: Priorities of controls are drawn below this number, so that the kinds come mixed.
PRIORITIES = 1_000_000


@dataclass(frozen=True, slots=True)
class NewControl:
    """A control to be written.

    Args:
        videos: the keys of `video_0` and `video_1`.
        expected: what the judging reads. See `judging`.
        repeats: the key of the pair that it shows again.
        only_for: the key of the only person who gets it.
    """

    kind: str
    prompt: int
    videos: tuple[int, int]
    expected: Mapping[str, Any]
    question: str = ""
    repeats: int | None = None
    only_for: int | None = None
    source_video: int | None = None
    ready: bool = True


def write(study: Study, new: Sequence[NewControl], *, actor: User) -> list[Control]:
    """Write these controls. Call it in a transaction. Raise IntegrityError if one of them exists already.

    A pair gets the same kind of id as a real pair, and wants as many answers as its kind has people.
    """
    batch, _made = Batch.objects.get_or_create(study=study, number=BATCH_NUMBER)
    pairs = Pair.objects.bulk_create([_pair(study, batch, one) for one in new])
    return Control.objects.bulk_create(
        Control(
            study=study,
            pair=pair,
            kind=one.kind,
            question=one.question,
            source_video_id=one.source_video,
            made_by=actor,
        )
        for pair, one in zip(pairs, new, strict=True)
    )


def _pair(study: Study, batch: Batch, one: NewControl) -> Pair:
    people = KINDS[one.kind].people
    return Pair(
        study=study,
        batch=batch,
        prompt_id=one.prompt,
        video_0_id=one.videos[0],
        video_1_id=one.videos[1],
        public_id=new_public_id(),
        kind=Pair.Kind.CONTROL,
        expected=dict(one.expected),
        priority=random.randrange(PRIORITIES),  # noqa: S311 - an order, not a secret
        selection_method="control",
        repeats_id=one.repeats,
        only_for_id=one.only_for,
        wanted=people,
        open_slots=people,
        ready=one.ready,
    )
