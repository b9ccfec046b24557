"""What people tagged protects those who come after: it becomes known harm of the tagged videos and of their pairs."""

from django.db import transaction

from annotation.models import Standing
from catalog import known_harm


@transaction.atomic
def note_tags(limit: int = 500) -> int:
    """Add what answers tagged since the last time to what is known of the videos.

    Read `limit` answers at most, and return how many were read. The answers are locked first, then what `known_harm`
    locks.
    """
    waiting = Standing.objects.filter(tags_unnoted=True).order_by("assignment_id").select_for_update(skip_locked=True)
    unnoted = list(waiting.values_list("pk", flat=True)[:limit])
    answers = Standing.objects.filter(pk__in=unnoted).values_list(
        *("assignment__pair__video_0", "current__tags_video_0", "assignment__pair__video_1", "current__tags_video_1")
    )
    known_harm.note({(row[place], tag) for row in answers for place in (0, 2) for tag in row[place + 1]})
    Standing.objects.filter(pk__in=unnoted).update(tags_unnoted=False)
    return len(unnoted)
