"""Imports a manifest or a folder into a study: the one function that the command and other callers use."""

import secrets
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from catalog import known_hashes, tasks
from catalog.importing import files, writing, writing_pairs
from catalog.importing.folder import read_folder
from catalog.importing.identity import video_public_id
from catalog.importing.manifest import collect, read_lines
from catalog.importing.pairing import PairChoice, Pairing
from catalog.importing.progress import Progress
from catalog.importing.references import check_references
from catalog.importing.report import ImportReport
from catalog.importing.rows import Manifest
from catalog.models import Asset, Study

MANIFEST = "manifest.jsonl"
#: PostgreSQL's advisory locks are two numbers; this is the first of ours for “an import writes into study …”.
IMPORT_LOCK = 7_301


class ImportTrouble(Exception):
    """The import cannot begin; `str()` says why and what to do."""


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


def import_study(
    path: Path,
    slug: str,
    *,
    options: ImportOptions | None = None,
    actor: User | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Adds what `path` (a manifest, or a folder) holds to the study `slug`, which is made if it is missing.

    Bad rows keep everything out, unless `options.skip_bad`; the report has them all either way. Importing
    again adds what is new and changes nothing else. Raises ImportTrouble where there is nothing to report on.
    """
    options, progress = options or ImportOptions(), progress or Progress()
    new_study = _planned_study(slug, options)
    report = ImportReport(slug, dry_run=options.dry_run)
    try:
        found = read(path)
        report.bad = found.bad
        files.find_files(found)
        check_references(found)
        if _refused(report, found, options):
            return report
        files.fingerprint_files(found, progress)
        _refuse_known(found, slug, actor)
        _identify_videos(found)
        check_references(found)
        if _refused(report, found, options):
            return report
        kept = _keep(found, options, progress)
        check_references(found)
        if not _refused(report, found, options):
            write(new_study, found, kept, options, actor, progress, report)
        return report
    finally:
        progress.end()


def read(path: Path) -> Manifest:
    """The rows of a manifest file, of a folder's `manifest.jsonl`, or of a folder of prompts.

    Raises ImportTrouble.
    """
    try:
        path = path.resolve(strict=True)
        is_folder = path.is_dir()
        source = path / MANIFEST if is_folder and (path / MANIFEST).exists() else path
        if not (source.is_dir() or source.is_file()):
            raise ImportTrouble(f"{source} is neither a file nor a folder.")
        found = Manifest(root=path if is_folder else path.parent)
        collect(read_folder(path, found) if source.is_dir() else read_lines(source, found), found)
    except FileNotFoundError:
        raise ImportTrouble(f"There is no file or folder {path}.") from None
    except (OSError, RuntimeError) as error:
        raise ImportTrouble(f"{path} cannot be read: {error}.") from error
    if not (found.prompts or found.bad):
        raise ImportTrouble(f"{path} holds no prompts. Give a manifest, or a folder with one subfolder a prompt.")
    return found


def _planned_study(slug: str, options: ImportOptions) -> Study:
    """The study as it would be made, checked. Raises ImportTrouble."""
    study = Study(slug=slug, title=options.title or slug)
    study.seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    if options.overlap is not None:
        study.overlap = options.overlap
    if options.batch_size < 1:
        raise ImportTrouble(f"--batch-size is {options.batch_size}; it must be 1 or more.")
    try:
        study.clean_fields()
    except ValidationError as error:
        wrong = "; ".join(
            f"--{'study' if name == 'slug' else name}: {' '.join(said)}" for name, said in error.message_dict.items()
        )
        raise ImportTrouble(f"The study cannot be made as asked. {wrong}") from None
    return study


def _refused(report: ImportReport, found: Manifest, options: ImportOptions) -> bool:
    """Whether bad rows keep everything out."""
    return bool(report.bad) and (not options.skip_bad or not found.prompts)


def _refuse_known(found: Manifest, slug: str, actor: User | None) -> None:
    """Refuses videos whose hash is known, before anything of them is kept, and notes each for the safety officers.

    Dry runs do so too. The row's reason says nothing of what the file may be. Raises ImportTrouble where a check does
    not work: then nothing may come in.
    """
    refusals: dict[str, known_hashes.Refusal | None] = {}
    try:
        for video in list(found.videos.values()):
            assert video.fingerprint is not None and video.file is not None  # noqa: S101, PT018 - else it was refused
            sha256 = video.fingerprint.sha256
            if sha256 not in refusals:
                refusals[sha256] = known_hashes.refusal(sha256, video.file)
            if refusal := refusals[sha256]:
                known_hashes.note(refusal, study_slug=slug, name=video.path, actor=actor)
                advice = "is not accepted here; leave it as it is and ask a safety officer of the study"
                found.refuse_video(video, "path", f"{video.path} {advice}")
    except known_hashes.CheckTrouble as error:
        raise ImportTrouble(str(error)) from error


def _identify_videos(found: Manifest) -> None:
    for video in found.videos.values():
        assert video.fingerprint is not None  # noqa: S101 - a row without one was refused
        origin = (str(video.stated.get(name, "")) for name in ("generator", "generator_version", "seed"))
        prompt = found.prompts[video.prompt].public_id
        video.public_id = video_public_id(prompt, video.fingerprint.sha256, *origin)


def _keep(found: Manifest, options: ImportOptions, progress: Progress) -> set[str]:
    """SHA-256 of the files that are new and now in storage; a dry run only says which would be."""
    wanted = {video.fingerprint.sha256 for video in found.videos.values() if video.fingerprint}
    known: set[str] = set()
    remaining = iter(wanted)
    while chunk := list(islice(remaining, 10_000)):
        known.update(Asset.objects.filter(sha256__in=chunk).values_list("sha256", flat=True))
    if options.dry_run:
        return wanted - known
    return files.keep_files(found, known, progress)


@transaction.atomic
def write(
    new_study: Study,
    found: Manifest,
    kept: set[str],
    options: ImportOptions,
    actor: User | None,
    progress: Progress,
    report: ImportReport,
) -> None:
    """Writes all rows in one transaction. A dry run writes them too, for the counts, and takes them back."""
    study = _take_study(new_study, options, actor, report)
    progress.begin("Writing prompts and videos", 3)
    prompts = writing.write_prompts(study, found, report)
    progress.advance()
    new_assets = writing.write_assets(found, kept, report)
    progress.advance()
    keys = writing.write_videos(study, found, report)
    progress.advance()
    choice = options.pairs or PairChoice("listed" if found.pairs else "all")
    pairing = Pairing(
        choice,
        seed=study.seed if options.seed is None else options.seed,
        wanted=study.overlap if options.overlap is None else options.overlap,
    )
    if choice.method == "listed":
        progress.begin("Writing pairs", len(found.pairs))
        pairs = writing_pairs.listed_pairs(study, found, keys, pairing, progress)
    else:
        progress.begin("Pairing prompts", len(prompts))
        pairs = writing_pairs.pairs_of_prompts(study, prompts, pairing, progress)
    writing_pairs.write_pairs(study, pairs, options.batch_size, report)
    report.pairs.already_there += pairing.already_there
    report.warnings += _warnings(study, found, pairing, options)
    report.imported = True
    drawn = {"selection": choice.method, "pairs_a_prompt": choice.a_prompt or None, "seed": pairing.seed}
    audit.record("study.imported", study, actor=actor, study_slug=study.slug, after=report.counts() | drawn)
    if options.dry_run:
        transaction.set_rollback(True)
        return
    transaction.on_commit(lambda: tasks.announce(new_assets))


def _take_study(new_study: Study, options: ImportOptions, actor: User | None, report: ImportReport) -> Study:
    """The study, made if it is missing, and this transaction the only import that writes into it."""
    values: dict[str, Any] = {name: getattr(new_study, name) for name in ("title", "seed", "overlap")}
    study, report.study_created = Study.objects.get_or_create(slug=new_study.slug, defaults=values)
    # Not a lock on the study's row: pausing a study must not wait for an import.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [IMPORT_LOCK, study.pk])
    if report.study_created:
        audit.record("study.created", study, actor=actor, study_slug=study.slug, after=values)
    elif options.title and options.title != study.title:
        report.warnings.append(f"The study is called “{study.title}”; its title was not changed.")
    return study


def _warnings(study: Study, found: Manifest, pairing: Pairing, options: ImportOptions) -> list[str]:
    said = []
    if found.pairs and pairing.choice.method != "listed":
        said.append(f"{len(found.pairs)} pair lines were left out, for --pairs {pairing.choice.method} was given.")
    if pairing.identical:
        said.append(f"{pairing.identical} pairs were left out because both videos have the same bytes.")
    if study.state == Study.State.CLOSED:
        said.append("The study is closed: nobody will be given the new pairs.")
    return said
