"""Find, fingerprint and store the files of an import. Whether they can be played is checked by transcoding.

A file stands for all videos that name its path or have its bytes. A fault of the file is a fault of each of them.
"""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext_noop as _

from accounts.models import User
from diptych.refusals import Refused
from diptych.strict_json import readable
from media import originals, recognise
from media.hashing import sha256_of
from media.models import Asset
from media.originals import ContentTrouble, Fingerprint
from safety import known_hashes
from sources.archives import is_archive
from sources.identity import is_published, video_public_id
from sources.inside import NOT_INSIDE, NOT_INSIDE_BACKSLASHES, FileTrouble, entries, open_file, resolved
from sources.intake import Intake
from sources.progress import FileRead, Progress
from sources.rows import Manifest, Place, VideoRow
from sources.sentences import Sentence
from sources.sentences import readable as readable_sentence


class NoVideo(FileTrouble):
    """A file is only a placeholder for a video. `str()` continues a sentence that begins with the file's name."""


THREADS = min(4, os.cpu_count() or 1)  # SHA-256 and file reads run outside Python's lock
AT_ONCE = 1024
CANNOT_BE_READ = _("%(path)s cannot be read: %(error)s")
PROBLEM = _("%(path)s %(error)s")


def find_files(found: Manifest, intake: Intake, progress: Progress) -> None:
    """Find each video's file, and refuse videos without a good one."""
    intake.execute("INSERT INTO file (path) SELECT path FROM video GROUP BY path ORDER BY min(row)")
    files = intake.count("file")
    progress.begin("Finding files", files)
    first = intake.fetch("SELECT path, file, line FROM video ORDER BY row LIMIT 1")
    causes: Counter[str] = Counter()
    reasons: dict[str, str] = {}

    def find(part: Manifest) -> None:
        looked_for = list(part.videos.values())
        for video in looked_for:
            try:
                video.file = locate(part.root, video.path)
            except FileTrouble as trouble:
                reason = str(trouble)
                cause = str(reason.with_values(path="")) if isinstance(reason, Sentence) else reason
                causes[cause] += 1
                reasons.setdefault(cause, reason)
                part.refuse_video(video, "path", reason)
        progress.advance(len(looked_for))

    _in_chunks(find, "state IS NULL", found, intake)
    [(cause, number)] = causes.most_common(1) or [("", 0)]
    if number == files > 1:
        [(path, file, line)] = first
        _refuse_all(found.root, files, reasons[cause], path, Place(file, line))


def _refuse_all(root: Path, files: int, reason: str, first: str, place: Place) -> None:
    """Raise Refused because no file can be read, and all for the same reason, which is named once."""
    values = {"count": files, "file": readable(first), "place": str(place)}
    if getattr(reason, "template", "") not in (NOT_INSIDE, NOT_INSIDE_BACKSLASHES):
        template = _(
            "None of the %(count)s video files can be read, all for the same reason. The first (%(place)s): %(reason)s."
        )
        raise Refused(Sentence(template, **values, reason=readable_sentence(reason)))
    packed = [entry.name for entry in entries(root, root) if is_archive(entry.name)]
    template = _(
        "None of the %(count)s video files exists. The first is %(file)s (%(place)s). Paths are relative to the folder "
        "of the manifest: check where the files are."
    )
    if "\\" in first:
        template = _(
            "None of the %(count)s video files exists. The first is %(file)s (%(place)s). Write paths with "
            "forward slashes."
        )
    elif packed:
        template = _(
            "None of the %(count)s video files exists. The first is %(file)s (%(place)s). %(archive)s is next to the "
            "manifest: unpack it, and import again."
        )
        values["archive"] = readable(packed[0])
    raise Refused(Sentence(template, **values))


def read_files(found: Manifest, intake: Intake, progress: Progress) -> None:
    """Fingerprint each file, and refuse videos whose file cannot be read after all.

    A file that was read in an earlier attempt and has the same size and time is not read again.
    """
    progress.begin("Reading files", intake.count("file", "found IS NOT NULL"))

    def read(part: Manifest) -> None:
        outcomes = _fingerprints(part, progress)
        for video in list(part.videos.values()):
            outcome = outcomes[video.file] if video.file else None
            if isinstance(outcome, Fingerprint):
                video.fingerprint = outcome
            else:
                template = PROBLEM if isinstance(outcome, NoVideo) else CANNOT_BE_READ
                part.refuse_video(video, "path", Sentence(template, path=video.path, error=str(outcome)))

    _in_chunks(read, "found IS NOT NULL", found, intake)


def refuse_known(found: Manifest, intake: Intake, slug: str, actor: User | None) -> None:
    """Refuse videos whose hash is known, before their files are stored, and record each for the safety officers.

    Dry runs do so too. The row's reason does not say what the file may be. Raises CheckTrouble if a check fails: then
    nothing is imported.
    """

    def check(part: Manifest) -> None:
        for video in list(part.videos.values()):
            assert video.fingerprint is not None and video.file is not None  # noqa: S101, PT018 - else it was refused
            if refusal := known_hashes.refusal(video.fingerprint.sha256, video.file):
                for _row, path in _videos_of(video.path, video.fingerprint.sha256, intake):
                    known_hashes.note(refusal, study_slug=slug, name=path, actor=actor)
                template = _("%(path)s is not accepted. Do not change the file, and ask a safety officer of the study")
                part.refuse_video(video, "path", Sentence(template, path=video.path))

    _mark_contents(intake)
    _in_chunks(check, "state = 'content'", found, intake)


def identify_videos(intake: Intake) -> None:
    """Give each video its published id: the stated id, or one computed from its bytes and its origin."""
    videos = """
        SELECT video.row, video.id, prompt.public_id, file.sha256, video.stated
          FROM video JOIN prompt ON prompt.id = video.prompt JOIN file ON file.path = video.path
         WHERE video.row {after} ORDER BY video.row
    """
    for rows in intake.chunks(videos):
        identified = []
        for row, local, prompt, sha256, written in rows:
            stated = orjson.loads(written)
            origin = (stated.get(name, "") for name in ("generator", "generator_version", "seed"))
            public_id = local if is_published(local) else video_public_id(prompt, sha256, *origin)
            identified.append((sha256, public_id, row))
        intake.execute_many("UPDATE video SET sha256 = ?, public_id = ? WHERE row = ?", identified)


def keep_files(found: Manifest, intake: Intake, progress: Progress, *, dry_run: bool) -> None:
    """Put new bytes into storage, and leave their files marked `content`. A dry run only marks them.

    Files are stored before the rows are written. So an interruption leaves at most a file that no row names.
    Refuse videos whose file changed after it was fingerprinted. Raises OSError if storage fails.
    """
    _mark_contents(intake)
    for rows in intake.chunks("SELECT row, sha256 FROM file WHERE row {after} AND state = 'content' ORDER BY row"):
        known = Asset.objects.filter(sha256__in=[sha256 for _row, sha256 in rows]).values_list("sha256")
        intake.execute_many("UPDATE file SET state = 'known' WHERE state = 'content' AND sha256 = ?", known)
    if dry_run:
        return
    progress.begin("Storing files", intake.count("file", "state = 'content'"))

    def keep(part: Manifest) -> None:
        for video, outcome in in_threads(keep_file, list(part.videos.values()), progress):
            if isinstance(outcome, OSError):
                raise outcome
            if outcome is not None:
                template = _("%(path)s could not be stored: %(error)s")
                part.refuse_video(video, "path", Sentence(template, path=video.path, error=outcome))

    _in_chunks(keep, "state = 'content'", found, intake)


def locate(root: Path, given: str) -> Path:
    """Return the regular, non-empty file that `given` names inside `root`, with links resolved. Raises FileTrouble."""
    if given.startswith("s3://"):
        # An address that can be read was downloaded and replaced by a path before.
        raise FileTrouble(Sentence(_("%(path)s does not exist, or cannot be read"), path=given))
    path = resolved(root, given)
    try:
        facts = path.stat()
    except OSError as error:
        raise FileTrouble(Sentence(CANNOT_BE_READ, path=given, error=error.strerror or str(error))) from None
    if not stat.S_ISREG(facts.st_mode):
        template = _("%(path)s is a folder") if stat.S_ISDIR(facts.st_mode) else _("%(path)s is not a regular file")
        raise FileTrouble(Sentence(template, path=given))
    if facts.st_size == 0:
        raise FileTrouble(Sentence(_("%(path)s is empty"), path=given))
    if not os.access(path, os.R_OK):
        raise FileTrouble(Sentence(_("%(path)s cannot be read: permission is missing"), path=given))
    return path


def fingerprint(path: Path) -> Fingerprint:
    """Return the fingerprint of a file. Raises OSError, and NoVideo for a placeholder."""
    with open_file(path) as file:
        if words := recognise.placeholder(file.read(recognise.HEAD_BYTES)):
            raise NoVideo(Sentence(words))
        file.seek(0)
        return Fingerprint(sha256_of(file), os.fstat(file.fileno()).st_size)


def keep_file(video: VideoRow) -> None:
    """Put a video's file into storage, unless it is there. Raises FileTrouble, and OSError if storage fails."""
    assert video.fingerprint is not None and video.file is not None  # noqa: S101, PT018 - else it was refused
    if originals.is_kept(video.fingerprint):
        return
    try:
        content = open_file(video.file)
    except OSError as error:
        raise FileTrouble(error.strerror or str(error)) from error
    with content:
        try:
            originals.keep(content, video.fingerprint)
        except ContentTrouble as trouble:
            raise FileTrouble(str(trouble)) from trouble


def in_threads(work: Callable[[Any], Any], subjects: Iterable[Any], progress: Progress) -> Iterator[tuple[Any, Any]]:
    """Yield each subject with `work(subject)`, or with the OSError or FileTrouble that it raised."""

    def attempt(subject: Any) -> Any:
        try:
            return work(subject)
        except (OSError, FileTrouble) as error:
            return error

    remaining = iter(subjects)
    pool = ThreadPoolExecutor(THREADS)
    try:
        while chunk := list(islice(remaining, AT_ONCE)):
            for subject, outcome in zip(chunk, pool.map(attempt, chunk), strict=True):
                yield subject, outcome
                progress.advance()
    finally:
        pool.shutdown(cancel_futures=True)  # a cancelled import does not read the remaining files


def _fingerprints(part: Manifest, progress: Progress) -> dict[Path, Any]:
    """Return each file's fingerprint, remembered or read now, or the OSError or NoVideo of the attempt."""
    paths = dict.fromkeys(video.file for video in part.videos.values() if video.file)
    names = {path: os.path.relpath(path, part.root) for path in paths}  # a blob of a hub's cache is outside the root
    before = progress.recall(names.values())
    found: dict[Path, Any] = {}
    states: dict[Path, os.stat_result] = {}
    for path, name in names.items():
        try:
            states[path] = state = path.stat()
        except OSError as error:
            found[path] = error
            continue
        known = before.get(name)
        if known and (known.byte_size, known.modified_ns) == (state.st_size, state.st_mtime_ns):
            found[path] = Fingerprint(known.sha256, known.byte_size)
    progress.advance(len(found))
    unread = [path for path in paths if path not in found]
    for path, outcome in in_threads(fingerprint, unread, progress):
        found[path] = outcome
        if isinstance(outcome, Fingerprint) and outcome.size == states[path].st_size:
            progress.remember(FileRead(names[path], outcome.size, states[path].st_mtime_ns, outcome.sha256))
    return found


def _mark_contents(intake: Intake) -> None:
    """Mark one file for each distinct content that a video still uses."""
    intake.execute("CREATE INDEX IF NOT EXISTS file_sha256 ON file (sha256)")
    intake.execute("DELETE FROM file WHERE path NOT IN (SELECT path FROM video)")
    intake.execute("UPDATE file SET state = NULL")
    intake.execute("UPDATE file SET state = 'content' WHERE row IN (SELECT min(row) FROM file GROUP BY sha256)")


def _in_chunks(step: Callable[[Manifest], None], where: str, found: Manifest, intake: Intake) -> None:
    """Call `step` for the files that `where` selects, in chunks, and record what it found, read and refused."""
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
    """Refuse all videos of a file, and drop the file. Each reason names the path of its own video."""
    for row, own in _videos_of(path, sha256, intake):
        own_reason = reason.with_values(path=own) if isinstance(reason, Sentence) else reason
        intake.refuse("video", row, column, own_reason, found)
    intake.execute("DELETE FROM file WHERE path = ?", path)


def _videos_of(path: str, sha256: str | None, intake: Intake) -> list[tuple[int, str]]:
    """Return row and path of each video that has these bytes, or this path if the bytes are not known."""
    intake.execute("CREATE INDEX IF NOT EXISTS video_path ON video (path)")
    paths = "SELECT path FROM file WHERE sha256 = ?" if sha256 else "SELECT ?"
    videos = f"SELECT row, path FROM video WHERE path IN ({paths}) ORDER BY row"  # noqa: S608 - from above
    return [(row, own) for row, own in intake.fetch(videos, sha256 or path)]
