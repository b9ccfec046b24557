"""What tests of imports as jobs share: asking for one, and looking at what came of it."""

import io
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import AuditEvent
from importing import jobs, uploads, writing_pairs
from importing.models import Import, Upload
from importing.writing import video_keys
from media.originals import original_name
from studies.models import Study
from tests.importing.test_import_study import sha256_of


def own_bytes(folder: Path, sign: str) -> Path:
    for clip in folder.glob("clips/*"):
        clip.write_bytes(f"{sign} {clip.name}".encode())
    return folder


def asked(study, location, actor=None, **options) -> Import:
    return jobs.ask(study, source="server", location=str(location), options=options, actor=actor)


def now_of(job) -> Import:
    return Import.objects.get(pk=job.pk)


def after(job, state) -> Import:
    """The job as it stands, which is so."""
    there = now_of(job)
    assert there.state == state, there.reason
    return there


def originals(folder) -> dict[str, bool]:
    """The folder's clips by digest, and whether storage has them."""
    digests = [sha256_of(clip) for clip in sorted(folder.glob("clips/*"))]
    return {digest: default_storage.exists(original_name(digest)) for digest in digests}


def events(job, action) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action, subject="importing_import", subject_id=str(job.pk)))


def uploaded(job, name, content) -> Upload:
    upload, _ = uploads.create(job, name, len(content))
    for start in range(0, len(content), 1000):
        piece = content[start : start + 1000]
        uploads.receive(upload, start, io.BytesIO(piece), len(piece))
    return upload


def settle_new_pairs(study: Study, first: int) -> None:
    """Do what an import does last, of which the study's pairs from key `first` on are new and no video is."""
    with transaction.atomic(), video_keys():
        writing_pairs.settle_new(study, first)
