"""Takes the files of an intake, some at a time, through what `files` does with them: find, read, keep.

A file stands for all videos that name its path, or that have its bytes; what is wrong with it is wrong with each.
"""

import os
from collections.abc import Callable
from pathlib import Path

import orjson

from accounts.models import User
from catalog import known_hashes
from catalog.importing import files
from catalog.importing.identity import video_public_id
from catalog.importing.intake import Intake
from catalog.importing.progress import Progress
from catalog.importing.rows import Fingerprint, Manifest, Place, VideoRow
from catalog.models import Asset


class OneStage(Progress):
    """Makes one stage out of one for each chunk."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._has_begun = progress, total, False
        self.advance = progress.advance  # type: ignore[method-assign]
        self.remember = progress.remember  # type: ignore[method-assign]
        self.recall = progress.recall  # type: ignore[method-assign]

    def begin(self, stage: str, total: int) -> None:
        if not self._has_begun:
            self._progress.begin(stage, self._total)
        self._has_begun = True


def find_files(found: Manifest, intake: Intake, progress: Progress) -> None:
    """Finds each video's file, and refuses videos without a good one."""
    intake.execute("INSERT INTO file (path) SELECT path FROM video GROUP BY path ORDER BY min(row)")
    progress.begin("Finding files", intake.count("file"))

    def find(part: Manifest) -> None:
        looked_for = len(part.videos)
        files.find_files(part)
        progress.advance(looked_for)

    _in_chunks(find, "state IS NULL", found, intake)


def read_files(found: Manifest, intake: Intake, progress: Progress) -> None:
    """Fingerprints each file, and refuses videos whose file cannot be read after all."""
    stage = OneStage(progress, intake.count("file", "found IS NOT NULL"))
    stage.begin("Reading files", 0)
    _in_chunks(lambda part: files.fingerprint_files(part, stage), "found IS NOT NULL", found, intake)


def refuse_known(found: Manifest, intake: Intake, slug: str, actor: User | None) -> None:
    """Refuses videos whose hash is known, before anything of them is kept, and notes each for the safety officers.

    Dry runs do so too. The row's reason says nothing of what the file may be. Raises CheckTrouble where a check does
    not work: then nothing may come in.
    """

    def check(part: Manifest) -> None:
        for video in list(part.videos.values()):
            assert video.fingerprint is not None and video.file is not None  # noqa: S101, PT018 - else it was refused
            if refusal := known_hashes.refusal(video.fingerprint.sha256, video.file):
                for _row, path in _videos_of(video.path, video.fingerprint.sha256, intake):
                    known_hashes.note(refusal, study_slug=slug, name=path, actor=actor)
                advice = "is not accepted here; leave it as it is and ask a safety officer of the study"
                part.refuse_video(video, "path", f"{video.path} {advice}")

    _mark_contents(intake)
    _in_chunks(check, "state = 'content'", found, intake)


def identify_videos(intake: Intake) -> None:
    """Gives each video its published id, which follows from its bytes and where they come from."""
    videos = """
        SELECT video.row, prompt.public_id, file.sha256, video.stated
          FROM video JOIN prompt ON prompt.id = video.prompt JOIN file ON file.path = video.path
         WHERE video.row {after} ORDER BY video.row
    """
    for rows in intake.chunks(videos):
        identified = []
        for row, prompt, sha256, written in rows:
            stated = orjson.loads(written)
            origin = (stated.get(name, "") for name in ("generator", "generator_version", "seed"))
            identified.append((sha256, video_public_id(prompt, sha256, *origin), row))
        intake.execute_many("UPDATE video SET sha256 = ?, public_id = ? WHERE row = ?", identified)


def keep_files(found: Manifest, intake: Intake, progress: Progress, *, dry_run: bool) -> None:
    """Puts new bytes into storage, and leaves their files marked `content`; a dry run only marks what would be."""
    _mark_contents(intake)
    for rows in intake.chunks("SELECT row, sha256 FROM file WHERE row {after} AND state = 'content' ORDER BY row"):
        known = Asset.objects.filter(sha256__in=[sha256 for _row, sha256 in rows]).values_list("sha256")
        intake.execute_many("UPDATE file SET state = 'known' WHERE state = 'content' AND sha256 = ?", known)
    if dry_run:
        return
    stage = OneStage(progress, intake.count("file", "state = 'content'"))
    stage.begin("Keeping files", 0)

    def keep(part: Manifest) -> None:
        files.keep_files(part, set(), stage)

    _in_chunks(keep, "state = 'content'", found, intake)


def _mark_contents(intake: Intake) -> None:
    """Marks one file for each of the contents that a video still has."""
    intake.execute("CREATE INDEX IF NOT EXISTS file_sha256 ON file (sha256)")
    intake.execute("DELETE FROM file WHERE path NOT IN (SELECT path FROM video)")
    intake.execute("UPDATE file SET state = NULL")
    intake.execute("UPDATE file SET state = 'content' WHERE row IN (SELECT min(row) FROM file GROUP BY sha256)")


def _in_chunks(step: Callable[[Manifest], None], where: str, found: Manifest, intake: Intake) -> None:
    """Lets `step` work on the files that are so, and takes over what it found, read and refused."""
    query = f"SELECT row, path, found, sha256, size FROM file WHERE row {{after}} AND {where} ORDER BY row"  # noqa: S608 - from above
    for rows in intake.chunks(query):
        part = Manifest(found.root)
        for _row, path, file, sha256, size in rows:
            mark = Fingerprint(sha256, size) if sha256 else None
            part.videos[path] = VideoRow(Place(path), path, path, Path(os.fsdecode(file)) if file else None, mark)
        step(part)
        learned = [
            (os.fsencode(video.file or ""), *(video.fingerprint or (None, None)), path)
            for path, video in part.videos.items()
        ]
        intake.execute_many("UPDATE file SET found = ?, sha256 = ?, size = ? WHERE path = ?", learned)
        contents = {path: sha256 for _row, path, _file, sha256, _size in rows}
        for bad in part.bad:
            _refuse_videos(bad.file, contents[bad.file], bad.field, bad.reason, found, intake)


def _refuse_videos(path: str, sha256: str | None, column: str, reason: str, found: Manifest, intake: Intake) -> None:
    """Refuses all videos of a file, and forgets it. The reason begins with the path that it speaks of."""
    for row, own in _videos_of(path, sha256, intake):
        intake.refuse("video", row, column, own + reason.removeprefix(path), found)
    intake.execute("DELETE FROM file WHERE path = ?", path)


def _videos_of(path: str, sha256: str | None, intake: Intake) -> list[tuple[int, str]]:
    """The videos with these bytes, if they are known, or else with this path."""
    intake.execute("CREATE INDEX IF NOT EXISTS video_path ON video (path)")
    paths = "SELECT path FROM file WHERE sha256 = ?" if sha256 else "SELECT ?"
    videos = f"SELECT row, path FROM video WHERE path IN ({paths}) ORDER BY row"  # noqa: S608 - from above
    return [(row, own) for row, own in intake.fetch(videos, sha256 or path)]
