"""Triggers for tables whose rows never change once they are written."""

import pgtrigger


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """Return triggers that allow inserting and reading rows, and refuse update, delete and truncate."""
    return [
        pgtrigger.Protect(name=f"{name}_rows_stay", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{name}_table_stays",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'Cannot truncate %: its rows stay as they are', TG_TABLE_NAME;",
        ),
    ]
