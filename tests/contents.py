"""The contents of an installation, to be compared before and after. Needs no Django."""

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql


def tables(database_url: str) -> dict[str, tuple[int, str]]:
    """Return the number of rows of each table, and a checksum of their contents and sequences."""
    with psycopg.connect(database_url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found = {}
        for (name,) in names:
            summed = sql.SQL("SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t")
            row = connection.execute(summed.format(sql.Identifier(name))).fetchone()
            assert row is not None
            found[name] = (row[0], row[1])
        sequences = "SELECT string_agg(sequencename || '=' || coalesce(last_value, 0), ' ' ORDER BY sequencename)"
        [(said,)] = connection.execute(f"{sequences} FROM pg_sequences WHERE schemaname = 'public'").fetchall()
        return found | {"sequences": (0, said)}


def files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
