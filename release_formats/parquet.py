"""The platform's own records as Parquet: `pairs`, `tv_pairs`, `annotations`, `prompts`, and `invalid` on request."""

from django.utils.translation import gettext_lazy as _

from release_formats.tables import TABLES, counts, write_table
from releases.formats import Folder, Format
from releases.items import Items
from releases.models import Release


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the files of this format."""
    number = counts(release)
    for table in TABLES:
        write_table(table, number.get(table.name, {}), release, items, folder)


FORMAT = Format("parquet", _("Parquet: the same records as tables"), write, order=50)
