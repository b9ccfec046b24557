"""Bring the records of several configs together by prompt, in a temporary file.

Published configs are in no order, and a prompt is in several of them. SQLite sorts them on disk, so memory does not
grow with the dataset.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLES = """
CREATE TABLE prompts (id TEXT PRIMARY KEY, rank INT, part_rank INT, parts INT, record TEXT) WITHOUT ROWID;
CREATE TABLE videos (id TEXT PRIMARY KEY, prompt TEXT, rank INT, part_rank INT, parts INT, record TEXT) WITHOUT ROWID;
CREATE TABLE pairs (id TEXT PRIMARY KEY, prompt TEXT, rank INT, part_rank INT, parts INT, record TEXT) WITHOUT ROWID;
CREATE TABLE left_out (file TEXT, record INT, reason TEXT);
"""
INDICES = """
CREATE INDEX videos_by_prompt ON videos (prompt, id);
CREATE INDEX pairs_by_prompt ON pairs (prompt, id);
"""
#: Bits of the parts in which a record was.
BITS = {"train": 1, "test": 2, "eval": 4, "excluded": 0}
BOTH = BITS["train"] | BITS["test"]
#: `json.dumps` with options makes an encoder for each call.
ENCODE = json.JSONEncoder(sort_keys=True).encode
#: Memory for the pages of the temporary file.
CACHE_KIB = 64 << 10
DIFFERS = "differs from an earlier record with the same id"


@dataclass(frozen=True, slots=True)
class Given:
    """A record as one config has it.

    Attributes:
        rank: what is written comes from the record with the lowest rank, and where that is empty, from others.
        part_rank: the part comes from the records with the lowest rank.
        same: the fields that must be the same wherever the id is.
    """

    key: str
    record: dict[str, Any]
    part: str
    rank: int = 0
    part_rank: int = 0
    same: tuple[str, ...] = ()


class Gathering:
    """The prompts, videos and pairs of a dataset, each once."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        quick = f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KIB};"
        self.database.executescript(f"{quick} {TABLES} BEGIN;")

    def close(self) -> None:
        """Close the temporary file."""
        self.database.close()

    def add(self, table: str, given: Given, *, prompt: str = "") -> str:
        """Add a record to a table, or what it says beyond an earlier one. Return what is wrong; empty: nothing.

        `prompt` is the id of the prompt to which a video or a pair belongs.
        """
        find = f"SELECT rank, part_rank, parts, record FROM {table} WHERE id = ?"  # noqa: S608 - a name of this module
        found = self.database.execute(find, (given.key,)).fetchone()
        if found is None:
            values = (given.rank, given.part_rank, BITS[given.part], ENCODE(given.record))
            keys = (given.key, prompt) if prompt else (given.key,)
            marks = ", ".join("?" for _value in (*keys, *values))
            self.database.execute(f"INSERT INTO {table} VALUES ({marks})", (*keys, *values))  # noqa: S608
            return ""
        rank, part_rank, parts, earlier = found
        stored = json.loads(earlier)
        if any(stored[name] != given.record[name] for name in given.same):
            return DIFFERS
        if given.part_rank <= part_rank:
            parts = BITS[given.part] | (parts if given.part_rank == part_rank else 0)
            part_rank = given.part_rank
        best, other = (given.record, stored) if given.rank < rank else (stored, given.record)
        whole = {name: other[name] if value in (None, "") else value for name, value in best.items()}
        change = f"UPDATE {table} SET rank = ?, part_rank = ?, parts = ?, record = ? WHERE id = ?"  # noqa: S608
        self.database.execute(change, (min(rank, given.rank), part_rank, parts, ENCODE(whole), given.key))
        return ""

    def leave_out(self, file: str, number: int, reason: str) -> None:
        """Store that the record with this number was not used."""
        self.database.execute("INSERT INTO left_out VALUES (?, ?, ?)", (file, number, reason))

    def left_out(self) -> Iterator[dict[str, Any]]:
        """Yield what was not used, in the order of reading."""
        for file, number, reason in self.database.execute("SELECT * FROM left_out ORDER BY rowid"):
            yield {"file": file, "record": number, "reason": reason}

    def end(self) -> None:
        """End the reading: make the indices that writing needs."""
        self.database.executescript(INDICES)

    def prompts(self) -> Iterator[tuple[dict[str, Any], int, int, int]]:
        """Yield each prompt in the order of its id: its record, its parts, and how many pairs and videos it has."""
        statement = """
        SELECT record, parts, (SELECT count(*) FROM pairs WHERE prompt = prompts.id),
               (SELECT count(*) FROM videos WHERE prompt = prompts.id) FROM prompts ORDER BY id"""
        for record, parts, pairs, videos in self.database.execute(statement):
            yield json.loads(record), parts, pairs, videos

    def of_prompts(self, table: str) -> Iterator[tuple[str, dict[str, Any], int]]:
        """Yield each video or pair by prompt and id: its id, its record and its parts."""
        statement = f"SELECT id, record, parts FROM {table} ORDER BY prompt, id"  # noqa: S608
        for key, record, parts in self.database.execute(statement):
            yield key, json.loads(record), parts
