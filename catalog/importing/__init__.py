"""Bringing material into a study: read a manifest or a folder, keep the files, write the rows.

Reading finds every bad row before anything is written; writing is one transaction that adds what is new and
changes nothing that is there.
"""

from catalog.importing.report import ImportReport
from catalog.importing.rows import BadRow
from catalog.importing.study import ImportOptions, ImportTrouble, import_study

__all__ = ["BadRow", "ImportOptions", "ImportReport", "ImportTrouble", "import_study"]
