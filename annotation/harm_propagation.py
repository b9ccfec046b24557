"""Tags protect other people: a tag becomes a known harm of its video and of that video's pairs."""

from django.db import transaction

from annotation.models import Standing
from catalog import known_harm


@transaction.atomic
def note_tags(limit: int = 500) -> int:
    """Add the tags of new answers to the known harms of their videos.

    Read at most `limit` answers and return how many are done. `known_harm` takes its locks first and the standings are
    locked last, as in every change of how an answer stands (decision 023). An answer that is locked, or was revised
    after it was read, keeps its mark and is read again later. Two calls at once have the same result as one.
    """
    waiting = (
        Standing.objects.filter(tags_unnoted=True)
        .order_by("assignment_id")
        .values_list(
            *("assignment_id", "current_id"),
            *(
                "assignment__pair__video_0",
                "current__tags_video_0",
                "assignment__pair__video_1",
                "current__tags_video_1",
            ),
        )
    )
    answers = list(waiting[:limit])
    known_harm.note({(row[place], tag) for row in answers for place in (2, 4) for tag in row[place + 1]})
    read = Standing.objects.filter(pk__in=[row[0] for row in answers], current__in=[row[1] for row in answers])
    free = list(read.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    Standing.objects.filter(pk__in=free).update(tags_unnoted=False)
    return len(free)
