"""What imports delete together with a study."""

from django.core.files.storage import default_storage
from django.db import transaction

from importing.models import Import, ReadFile, Upload
from media.stored_files import names_below
from studies import deletion
from studies.deletion import Rows
from studies.models import Study


def delete_imports(study: Study) -> int:
    """Delete the study's imports with their uploads, as a part of its deletion. Return the number of rows."""
    folders = [f"imports/{name}" for name in Import.objects.filter(study=study).values_list("public_id", flat=True)]
    rows = deletion.delete_rows(
        study, [Rows(Upload, "import_job__study"), Rows(ReadFile, "import_job__study"), Rows(Import)]
    )
    transaction.on_commit(lambda: _delete_files(folders), robust=True)
    return rows


def _delete_files(folders: list[str]) -> None:
    for folder in folders:
        for name in list(names_below(folder)):
            default_storage.delete(name)
