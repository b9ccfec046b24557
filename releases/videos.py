"""The videos of a release whose files it has: written once with its items, and read in the order of its archives."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext_noop

from diptych.refusals import Refused
from media.names import TRAINING_FRAMES
from releases.models import Release, ReleaseVideo

#: Formats with files that are made from those of the videos.
VIDEOS, SINGLE_VIDEOS, FRAMES = "videos", "single_videos", "frames"
WITH_FILES = frozenset({VIDEOS, SINGLE_VIDEOS, FRAMES})
#: The folder of each. Nothing else is in that of the single files, because readers take all files of such a folder.
FOLDERS = {VIDEOS: "video_archives", SINGLE_VIDEOS: "videos", FRAMES: "frames"}
#: About the size of an archive in bytes. The last file of an archive may end beyond it.
ARCHIVE_BYTES = 1_000_000_000
#: Rows that are read at a time.
CHUNK = 1000
# Workers write these sentences in English, and pages translate them.
WITHOUT_FILES = gettext_noop(
    "Some videos of this release have no prepared files. Make the release without videos and frames, or have these "
    "videos prepared again."
)
QUARANTINED = gettext_noop(
    "A video of this release is in quarantine, so its files cannot be released. Make the release again without the "
    "video, or wait for the decision of the safety officer."
)

_sizes = ", ".join(f"(asset.facts->'files'->>'frames/{number}.jpg')::integer" for number in range(TRAINING_FRAMES))
#: A tar has a header of 512 bytes for each file, and fills the last block of 512 bytes.
_in_tar = "(512 + (({size} + 511) / 512) * 512)"
_frames_in_tar = f"(SELECT sum({_in_tar.format(size='one')}) FROM unnest(frame_sizes) AS one)"  # noqa: S608
_chosen = """
SELECT DISTINCT ON (video.id) video.id AS video_id, video.public_id, video.asset_id, video.prompt_id, item.part
  FROM releases_releaseitem item
  JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
  JOIN catalog_video video ON video.id IN (pair.video_0_id, pair.video_1_id)
 WHERE item.release_id = %(release)s
 ORDER BY video.id"""


def _archive(size: str) -> str:
    """Return SQL for the number of the archive: the bytes before this file, divided by the size of an archive."""
    before = f"sum({size}) OVER (PARTITION BY part ORDER BY place) - {size}"
    return f"floor(({before}) / %(archive_bytes)s)"


WRITE = f"""
WITH chosen AS MATERIALIZED ({_chosen}),
known AS (
  SELECT chosen.video_id, chosen.asset_id, chosen.part, asset.facts->'playback' AS facts,
         (asset.facts->'files'->>'playback.mp4')::bigint AS byte_size, ARRAY[{_sizes}] AS frame_sizes,
         row_number() OVER (ORDER BY prompt.public_id COLLATE "C", chosen.public_id COLLATE "C") AS place
    FROM chosen
    JOIN catalog_prompt prompt ON prompt.id = chosen.prompt_id
    JOIN media_asset asset ON asset.id = chosen.asset_id)
INSERT INTO releases_releasevideo
       (study_id, release_id, video_id, asset_id, part, facts, byte_size, frame_sizes, place,
        video_archive, frame_archive)
SELECT %(study)s, %(release)s, video_id, asset_id, part, facts, byte_size, frame_sizes, place,
       {_archive(_in_tar.format(size="byte_size"))}, {_archive(_frames_in_tar)}
  FROM known"""  # noqa: S608 - of names in this module
ANY_WITHOUT_FILES = f"""
WITH chosen AS MATERIALIZED ({_chosen})
SELECT EXISTS (SELECT FROM chosen JOIN media_asset asset ON asset.id = chosen.asset_id
 WHERE asset.facts->'playback'->>'sha256' IS NULL OR asset.facts->'files'->>'playback.mp4' IS NULL
    OR array_position(ARRAY[{_sizes}], NULL) IS NOT NULL)"""  # noqa: S608 - of names in this module


def freeze(release: Release) -> None:
    """Write the videos of a release whose items are written. Raise Refused if some have no files."""
    values = {"study": release.study_id, "release": release.pk, "archive_bytes": ARCHIVE_BYTES}
    with connection.cursor() as cursor:
        cursor.execute(ANY_WITHOUT_FILES, values)
        if cursor.fetchone()[0]:
            raise Refused(WITHOUT_FILES, "no_files")
        cursor.execute(WRITE, values)


def in_quarantine(release: Release) -> int:
    """Return how many videos whose files the release has are in quarantine now."""
    return ReleaseVideo.objects.filter(release=release, asset__quarantined_at__isnull=False).count()


def refuse_quarantined(release: Release) -> None:
    """Raise Refused if a video whose files the release has is in quarantine now."""
    if in_quarantine(release):
        raise Refused(QUARANTINED, "quarantined")


class Archive(NamedTuple):
    """One archive of a release: the part of the release that it belongs to, its number in that part, and its videos."""

    part: str
    number: int
    videos: int


def archives(release: Release, column: str) -> list[Archive]:
    """Return the archives of a release. `column` is `video_archive` or `frame_archive`."""
    found = ReleaseVideo.objects.filter(release=release).values_list("part", column)
    return [Archive(*row) for row in found.annotate(number=Count("pk")).order_by("part", column)]


def parts(release: Release) -> dict[str, int]:
    """Return the number of videos of each part of the release that has some."""
    found = ReleaseVideo.objects.filter(release=release).values_list("part")
    return dict(found.annotate(number=Count("pk")).order_by("part"))


def read(release: Release, **only: object) -> Iterator[ReleaseVideo]:
    """Yield videos in the order of the archives, in chunks. `only` are values of columns. Raise DatabaseError."""
    after = 0
    rows = ReleaseVideo.objects.filter(release=release, **only).select_related("video__prompt", "asset")
    while chunk := list(rows.filter(place__gt=after).order_by("place")[:CHUNK]):
        yield from chunk
        after = chunk[-1].place


def by_id(release: Release, ids: Iterable[str]) -> dict[str, ReleaseVideo]:
    """Return these videos by their published ids."""
    rows = ReleaseVideo.objects.filter(release=release, video__public_id__in=set(ids))
    return {row.video.public_id: row for row in rows.select_related("video__prompt")}


def path_of_archive(kind: str, part: str, number: int) -> str:
    """Return the path of an archive of videos or of frames (`kind`)."""
    return f"{FOLDERS[kind]}/{kind}-{part}-{number:05}.tar"


def member(row: ReleaseVideo) -> str:
    """Return the name of the video in its archive, and among the single files."""
    return f"{row.video.prompt.public_id}/{row.video.public_id}.mp4"


def frame_member(row: ReleaseVideo, number: int) -> str:
    """Return the name of a frame in its archive, from 0."""
    return f"{row.video.prompt.public_id}/{row.video.public_id}.{number}.jpg"
