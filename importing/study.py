"""Imports a manifest or a folder into a study: the one function that the command and other callers use."""

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from psycopg import sql

from accounts import audit
from accounts.models import User
from diptych.broker import JOB_WAIT_S
from diptych.database import locks
from diptych.disk_space import NO_ROOM, is_full
from diptych.refusals import Refused
from importing import files, hub_cache, inside, writing, writing_pairs
from importing.folder import read_folder
from importing.intake import Intake
from importing.left_out import in_words
from importing.manifest import collect, read_lines
from importing.manifest_file import find_manifest
from importing.pairing import PairChoice, Pairing
from importing.progress import Progress
from importing.references import check_references, refuse_same_videos, warn_of_spellings
from importing.report import ImportReport
from importing.rows import Manifest, SourceNotes
from importing.staging import execute
from importing.taken_ids import refuse_taken_ids
from importing.writing import staged_prompts, staged_videos, video_keys
from importing.writing_pairs import staged_pairs
from jobs import messages
from media import transcoding
from media.originals import keeping
from studies.creation import make_owner
from studies.models import StateChange, Study


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import. What is None follows the study, or for a new study the platform's defaults."""

    title: str = ""
    pairs: PairChoice | None = None
    batch_size: int = 100
    overlap: int | None = None
    seed: int | None = None
    skip_bad: bool = False
    dry_run: bool = False
    #: The code page of an archive's names, a key of `name_encodings.CODE_PAGES`; empty to find it out.
    name_encoding: str = ""


def import_study(
    path: Path,
    slug: str,
    *,
    options: ImportOptions | None = None,
    actor: User | None = None,
    progress: Progress | None = None,
    follow: bool = True,
    notes: SourceNotes | None = None,
    owner: User | None = None,
) -> ImportReport:
    """Adds what `path` (a manifest, or a folder) holds to the study `slug`, which is made if it is missing.

    A study that is made is paused, and `owner` is its admin and researcher.

    Bad rows keep everything out, unless `options.skip_bad`; the report has them all either way. Importing
    again adds what is new and changes nothing else. `follow` says whether `path` may have links in it. A path that was
    checked before may not: a link that somebody put there since would lead out.

    Raises Refused where there is nothing to report on.
    """
    options, progress = options or ImportOptions(), progress or Progress()
    new_study = _planned_study(slug, options)
    report = ImportReport(slug, dry_run=options.dry_run)
    try:
        with Intake() as intake:
            found = read(path, intake, progress, follow=follow, notes=notes)
            report.bad, report.warnings, report.left_out = found.bad, found.warnings, dict(found.left_out)
            report.name_encoding = notes.name_encoding if notes else ""
            if _is_good(found, intake, options, slug, actor, progress):
                with keeping():
                    files.keep_files(found, intake, progress, dry_run=options.dry_run)
                    if not _refused(found, intake, options):
                        write(new_study, found, intake, options, actor, progress, report, owner=owner)
        return report
    except sqlite3.OperationalError as error:
        code = NO_ROOM if is_full(error) else ""
        raise Refused(f"The rows find no room in the temporary folder of this machine: {error}.", code) from error
    finally:
        progress.end()


def read(
    path: Path, intake: Intake, progress: Progress, *, follow: bool = True, notes: SourceNotes | None = None
) -> Manifest:
    """Takes in a manifest file, a folder with one, or a folder of prompts; what is wrong with it.

    `notes` is what there is to say of the source so far.

    Raises Refused.
    """
    try:
        path = hub_cache.followed(path) if follow else path
        path.lstat()
        path = hub_cache.snapshot(path)
        root = path if path.is_dir() else path.parent
        source = find_manifest(path) or path
        inside.resolved(root, source.relative_to(root).as_posix())
        if not (source.is_dir() or source.is_file()):
            raise Refused(f"{source} is neither a file nor a folder.")
        found = Manifest(root)
        if notes is not None:
            found.warnings += notes.warnings
            found.left_out += notes.left_out
        collect(read_folder(path, found) if source.is_dir() else read_lines(source, found), found, intake, progress)
    except inside.FileTrouble as trouble:
        raise Refused(f"{trouble}.") from None
    except FileNotFoundError:
        raise Refused(f"There is no file or folder {path}.") from None
    except (OSError, RuntimeError) as error:
        raise Refused(f"{path} cannot be read: {error}.") from error
    if not (intake.count("prompt") or found.bad):
        raise Refused(f"{path} holds no prompts. Give a manifest, or a folder with one subfolder a prompt.")
    warn_of_spellings(found, intake)
    if found.left_out:
        found.warnings.append(in_words(found.left_out))
    return found


def _is_good(
    found: Manifest, intake: Intake, options: ImportOptions, slug: str, actor: User | None, progress: Progress
) -> bool:
    """Whether rows and files are such that the import may go on; what is wrong with them is with `found`.

    Raises Refused.
    """
    files.find_files(found, intake, progress)
    check_references(found, intake)
    if _refused(found, intake, options):
        return False
    files.read_files(found, intake, progress)
    files.refuse_known(found, intake, slug, actor)
    files.identify_videos(intake)
    refuse_taken_ids(found, intake, slug)
    refuse_same_videos(found, intake)
    return not _refused(found, intake, options)


def _refused(found: Manifest, intake: Intake, options: ImportOptions) -> bool:
    """Whether bad rows keep everything out. Those that need a bad row are refused with it."""
    if found.bad:
        check_references(found, intake)
    return bool(found.bad) and (not options.skip_bad or not intake.count("prompt"))


def _planned_study(slug: str, options: ImportOptions) -> Study:
    """The study as it would be made, checked. Raises Refused."""
    study = Study(slug=slug, title=options.title or slug, state=Study.State.PAUSED)
    study.seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    if options.overlap is not None:
        study.overlap = options.overlap
    if options.batch_size < 1:
        raise Refused(f"--batch-size is {options.batch_size}; it must be 1 or more.")
    try:
        study.clean_fields()
    except ValidationError as error:
        wrong = "; ".join(
            f"--{'study' if name == 'slug' else name}: {' '.join(said)}" for name, said in error.message_dict.items()
        )
        raise Refused(f"The study cannot be made as asked. {wrong}") from None
    return study


@transaction.atomic
def write(
    new_study: Study,
    found: Manifest,
    intake: Intake,
    options: ImportOptions,
    actor: User | None,
    progress: Progress,
    report: ImportReport,
    *,
    owner: User | None = None,
) -> None:
    """Writes all rows in one transaction. A dry run writes them too, for the counts, and takes them back."""
    execute(sql.SQL("SET LOCAL work_mem = '64MB'"))  # sorts and hashes of all rows at once
    study = _take_study(new_study, options, actor, owner, report)
    refused = len(found.bad)
    refuse_taken_ids(found, intake, study.slug)
    if len(found.bad) > refused:
        raise Refused("Another import added material with the same ids meanwhile. Nothing was imported. Import again.")
    number = progress.import_number(study)
    listed = intake.count("pair")
    pairing = Pairing(
        options.pairs or PairChoice("listed" if listed else "all"),
        seed=study.seed if options.seed is None else options.seed,
        wanted=study.overlap if options.overlap is None else options.overlap,
    )
    with staged_prompts() as prompts, staged_videos() as videos, video_keys() as keys, staged_pairs() as pairs:
        progress.begin("Adding prompts and videos", 4)
        writing.stage(prompts, videos, intake)
        report.warnings += writing.warnings_of_spelling(study)
        progress.advance()
        writing.write_prompts(study, number, intake, report)
        progress.advance()
        new_assets = writing.write_assets(intake, report, most=messages.FULL)
        progress.advance()
        writing.write_videos(study, number, keys, intake, report)
        progress.advance()
        if pairing.choice.method == "listed":
            writing_pairs.stage_listed_pairs(study, pairing, intake)
        else:
            progress.begin("Making pairs", intake.count("prompt"))
            writing_pairs.stage_pairs_of_prompts(study, pairs, pairing, progress)
        writing_pairs.write_pairs(study, number, pairs, options.batch_size, progress, report)
    report.pairs.already_there += pairing.already_there
    report.warnings += _warnings(study, listed, pairing, options)
    report.imported = True
    drawn = {
        "selection": pairing.choice.method,
        "pairs_a_prompt": pairing.choice.a_prompt or None,
        "seed": pairing.seed,
    }
    audit.record("study.imported", study, actor=actor, study_slug=study.slug, after=report.counts() | drawn)
    if options.dry_run:
        transaction.set_rollback(True)
        return
    transaction.on_commit(lambda: messages.send(transcoding.POLICY.task, new_assets, within_s=JOB_WAIT_S))
    progress.written(report)


def _take_study(
    new_study: Study, options: ImportOptions, actor: User | None, owner: User | None, report: ImportReport
) -> Study:
    """The study, made if it is missing, and this transaction the only import that writes into it."""
    values: dict[str, Any] = {name: getattr(new_study, name) for name in ("title", "state", "seed", "overlap")}
    study, report.study_created = Study.objects.get_or_create(slug=new_study.slug, defaults=values)
    # Not a lock on the study's row: pausing a study must not wait for an import.
    locks.lock(locks.Key.IMPORT_INTO_STUDY, study.pk)
    if not Study.objects.filter(pk=study.pk).exists():  # somebody deleted it while this waited for the lock
        raise Refused("The study was deleted meanwhile. Nothing was imported.")
    if report.study_created:
        StateChange.objects.create(study=study, step=StateChange.Step.CREATED, changed_by=actor)
        audit.record("study.created", study, actor=actor, study_slug=study.slug, after=values)
        if owner is not None:
            make_owner(study, owner, actor=actor)
    elif options.title and options.title != study.title:
        report.warnings.append(f"The study is called “{study.title}”; its title was not changed.")
    return study


def _warnings(study: Study, listed: int, pairing: Pairing, options: ImportOptions) -> list[str]:
    said = []
    if listed and pairing.choice.method != "listed":
        said.append(f"{listed} pair lines were left out, for --pairs {pairing.choice.method} was given.")
    if pairing.identical:
        said.append(f"{pairing.identical} pairs were left out because both videos have the same bytes.")
    if study.state == Study.State.CLOSED:
        said.append("The study is closed: nobody will be given the new pairs.")
    return said
