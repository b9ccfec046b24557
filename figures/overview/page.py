"""The sections of the page Quality for one reader."""

from django.utils.translation import gettext as _

from figures.overview import found_tables, waiting_tables
from figures.overview.reader import Reader
from figures.overview.tables import Table


def sections(reader: Reader) -> list[tuple[str, str, list[Table]]]:
    """Return the sections of the page: a key, a title and the tables."""
    waits = [waiting_tables.by_kind(reader), waiting_tables.by_lot(reader)]
    waits += [waiting_tables.by_reviewer(reader)] if reader.decides else []
    by = (found_tables.by_code(reader), found_tables.by_question(reader), found_tables.by_week(reader))
    found = [
        (
            "waiting",
            _("Waiting for review"),
            [table for table in (*waits, waiting_tables.forecasts(reader)) if table.shown],
        ),
        ("decisions", _("Decisions"), [found_tables.decisions(reader), found_tables.rework(reader)]),
        ("defects", _("Defects"), list(by)),
    ]
    return found + ([("reviewers", _("Reviewers"), [found_tables.strictness(reader)])] if reader.decides else [])


def table(reader: Reader, name: str) -> Table | None:
    """Return the table of this name, or None if the reader's page has none."""
    found = (table for _key, _title, tables in sections(reader) for table in tables)
    return next((table for table in found if table.name == name), None)
