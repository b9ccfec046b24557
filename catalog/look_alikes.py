"""Pairs whose two videos look the same: comparing a video with itself wastes an answer."""

from django.db.models import Func, IntegerField, QuerySet

from catalog.models import Pair
from media.names import TRAINING_FRAMES

#: Bits in which two videos that look alike differ at most: 5 of the 192 of each frame, on average. Selection method
#: measurement; docs/operators/media.md has the figures.
LOOK_ALIKE = 5 * TRAINING_FRAMES


class Difference(Func):
    """Bits in which two assets' `frame_hashes` differ; NULL where one has none."""

    arity = 2
    template = "(SELECT sum(bit_count((one # other)::bit(64))) FROM unnest(%(expressions)s) AS words(one, other))"
    output_field = IntegerField()


def mark_look_alikes(pairs: QuerySet[Pair]) -> None:
    """Marks those of `pairs` that can be played and whose two videos look the same."""
    alike = pairs.filter(look_alike=False, ready=True).alias(
        bits=Difference("video_0__asset__frame_hashes", "video_1__asset__frame_hashes")
    )
    Pair.objects.filter(pk__in=alike.filter(bits__lte=LOOK_ALIKE).values("pk")).update(look_alike=True)
