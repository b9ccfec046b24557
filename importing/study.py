"""Import a manifest or a folder into a study: the function that the command line and workers call."""

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_noop as _
from psycopg import sql

from accounts import audit
from accounts.models import User
from diptych.broker import JOB_WAIT_S
from diptych.database import locks
from diptych.disk_space import NO_ROOM, is_full
from diptych.refusals import Refused
from importing import labels, writing, writing_pairs
from importing.pairing import PairChoice, Pairing
from importing.progress import Progress
from importing.report import ImportReport
from importing.staging import execute
from importing.taken_ids import refuse_taken_ids
from importing.writing import staged_prompts, staged_videos, video_keys
from importing.writing_pairs import staged_pairs
from jobs import messages
from media import transcoding
from media.originals import keeping
from sources import files, hub_cache, inside
from sources.folder import read_folder
from sources.intake import Intake
from sources.left_out import in_words
from sources.manifest import collect, read_lines
from sources.manifest_file import find_manifest
from sources.references import check_references, refuse_same_videos, warn_of_spellings
from sources.rows import Manifest, SourceNotes
from sources.sentences import Sentence, with_full_stop
from studies.creation import make_owner
from studies.models import StateChange, Study


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of an import. None means the study's setting, or for a new study the platform's default."""

    title: str = ""
    pairs: PairChoice | None = None
    batch_size: int = 100
    overlap: int | None = None
    seed: int | None = None
    skip_bad: bool = False
    dry_run: bool = False
    #: The encoding of an archive's names, a key of `name_encodings.CODE_PAGES`. Empty to find it out.
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
    """Add the content of `path`, a manifest or a folder, to the study `slug`. The study is created if it is missing.

    A new study is paused, and `owner` is its admin and researcher. Bad rows stop the import, unless `options.skip_bad`.
    The report has all bad rows in both cases. Importing again adds what is new and changes nothing else.

    Args:
        follow: whether links in `path` are followed. A path that was checked before must not be followed: someone could
            have put a link there since.
        notes: what is known about the source so far.

    Raises Refused if there is nothing to report on.
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
        template = _("The temporary folder of this machine has no space for the rows: %(error)s.")
        raise Refused(Sentence(template, error=error), code) from error
    finally:
        progress.end()


def read(
    path: Path, intake: Intake, progress: Progress, *, follow: bool = True, notes: SourceNotes | None = None
) -> Manifest:
    """Read a manifest file, a folder with one, or a folder of prompts into the intake. Return what is wrong with it.

    `notes` is what is known about the source so far. Raises Refused.
    """
    try:
        path = hub_cache.followed(path) if follow else path
        path.lstat()
        path = hub_cache.snapshot(path)
        root = path if path.is_dir() else path.parent
        source = find_manifest(path) or path
        inside.resolved(root, source.relative_to(root).as_posix())
        if not (source.is_dir() or source.is_file()):
            raise Refused(Sentence(_("%(path)s is neither a file nor a folder."), path=str(source)))
        found = Manifest(root)
        if notes is not None:
            found.warnings += notes.warnings
            found.left_out += notes.left_out
        collect(read_folder(path, found) if source.is_dir() else read_lines(source, found), found, intake, progress)
    except inside.FileTrouble as trouble:
        raise Refused(with_full_stop(trouble)) from None
    except FileNotFoundError:
        raise Refused(Sentence(_("There is no file or folder %(path)s."), path=str(path))) from None
    except (OSError, RuntimeError) as error:
        raise Refused(Sentence(_("%(path)s cannot be read: %(error)s."), path=str(path), error=error)) from error
    if not (intake.count("prompt") or intake.count("label") or found.bad):
        template = _("The material has no prompts. Give a manifest, or a folder with one subfolder for each prompt.")
        raise Refused(Sentence(template, path=str(path)))
    warn_of_spellings(found, intake)
    if found.left_out:
        found.warnings.append(in_words(found.left_out))
    return found


def _is_good(
    found: Manifest, intake: Intake, options: ImportOptions, slug: str, actor: User | None, progress: Progress
) -> bool:
    """Check rows and files, and add bad rows to `found`. Return whether the import can continue. Raises Refused."""
    files.find_files(found, intake, progress)
    check_references(found, intake)
    labels.refuse_repeated(found, intake)
    labels.check_subjects(found, intake, slug)
    if _refused(found, intake, options):
        return False
    files.read_files(found, intake, progress)
    files.refuse_known(found, intake, slug, actor)
    files.identify_videos(intake)
    refuse_taken_ids(found, intake, slug)
    refuse_same_videos(found, intake)
    labels.check_subjects(found, intake, slug)
    return not _refused(found, intake, options)


def _refused(found: Manifest, intake: Intake, options: ImportOptions) -> bool:
    """Return whether bad rows stop the import. Rows that need a bad row are refused too."""
    if found.bad:
        check_references(found, intake)
    return bool(found.bad) and (not options.skip_bad or not (intake.count("prompt") or intake.count("label")))


def _planned_study(slug: str, options: ImportOptions) -> Study:
    """Return the study as it would be created, not saved. Raises Refused if it cannot be created."""
    study = Study(slug=slug, title=options.title or slug, state=Study.State.PAUSED)
    study.seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    if options.overlap is not None:
        study.overlap = options.overlap
    if options.batch_size < 1:
        raise Refused(f"--batch-size is {options.batch_size}. It must be 1 or more.")
    try:
        study.clean_fields()
    except ValidationError as error:
        wrong = "; ".join(
            f"--{'study' if name == 'slug' else name}: {' '.join(why)}" for name, why in error.message_dict.items()
        )
        raise Refused(f"The study cannot be created with these options. {wrong}") from None
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
    """Write all rows in one transaction. A dry run writes them too, for the counts, and rolls back."""
    execute(sql.SQL("SET LOCAL work_mem = '64MB'"))  # for sorts and hashes of all rows
    study = _locked_study(new_study, options, actor, owner, report)
    refused = len(found.bad)
    refuse_taken_ids(found, intake, study.slug)
    if len(found.bad) > refused:
        raise Refused(
            Sentence(_("Another import has just added material with the same ids. Nothing was imported. Import again."))
        )
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
    if intake.count("label"):
        labels.write(study, number, intake, report)
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


def _locked_study(
    new_study: Study, options: ImportOptions, actor: User | None, owner: User | None, report: ImportReport
) -> Study:
    """Return the study, created if it is missing. No other import writes into it until the transaction ends."""
    values: dict[str, Any] = {name: getattr(new_study, name) for name in ("title", "state", "seed", "overlap")}
    study, report.study_created = Study.objects.get_or_create(slug=new_study.slug, defaults=values)
    # Not a lock on the study's row: pausing a study must not wait for an import.
    locks.lock(locks.Key.IMPORT_INTO_STUDY, study.pk)
    if not Study.objects.filter(pk=study.pk).exists():  # it was deleted while this transaction waited for the lock
        raise Refused(Sentence(_("The study was deleted during the import. Nothing was imported.")))
    if report.study_created:
        StateChange.objects.create(study=study, step=StateChange.Step.CREATED, changed_by=actor)
        audit.record("study.created", study, actor=actor, study_slug=study.slug, after=values)
        if owner is not None:
            make_owner(study, owner, actor=actor)
    elif options.title and options.title != study.title:
        template = _("The study already has the title “%(title)s”. The title was not changed.")
        report.warnings.append(Sentence(template, title=study.title))
    return study


def _warnings(study: Study, listed: int, pairing: Pairing, options: ImportOptions) -> list[str]:
    """Return sentences about what was not imported, and about a closed study."""
    found: list[str] = []
    if listed and pairing.choice.method != "listed":
        template = _("%(count)s pairs in the manifest were ignored, because the option pairs is %(method)s.")
        found.append(Sentence(template, count=listed, method=pairing.choice.method))
    if pairing.identical:
        template = _("%(count)s pairs were not made, because both videos have the same bytes.")
        found.append(Sentence(template, count=pairing.identical))
    if study.state == Study.State.CLOSED:
        found.append(Sentence(_("The study is closed, so the new pairs are not served to anyone.")))
    return found
