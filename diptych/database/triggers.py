"""Triggers for tables whose rows, once written, stay as they are."""

import pgtrigger


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """Rows can be inserted and read; update, delete and truncate are refused by the database itself."""
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
