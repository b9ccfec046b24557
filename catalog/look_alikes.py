"""Mark pairs whose two videos look the same. Comparing a video with itself wastes an answer."""

from django.db.models import Func, IntegerField, QuerySet

from catalog.models import Pair
from media.names import TRAINING_FRAMES

#: The most bits by which two videos that look alike differ: on average 5 of the 192 bits of each frame. The number was
#: measured; docs/operators/media.md has the figures.
LOOK_ALIKE = 5 * TRAINING_FRAMES


class Difference(Func):
    """Number of bits by which the `frame_hashes` of two assets differ; NULL if one has no hashes."""

    arity = 2
    template = "(SELECT sum(bit_count((one # other)::bit(64))) FROM unnest(%(expressions)s) AS words(one, other))"
    output_field = IntegerField()


def mark_look_alikes(pairs: QuerySet[Pair]) -> None:
    """Mark those of `pairs` that can be played and whose two videos look the same."""
    alike = pairs.filter(look_alike=False, ready=True).alias(
        bits=Difference("video_0__asset__frame_hashes", "video_1__asset__frame_hashes")
    )
    Pair.objects.filter(pk__in=alike.filter(bits__lte=LOOK_ALIKE).values("pk")).update(look_alike=True)
