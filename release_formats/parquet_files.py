"""Write rows as a Parquet file whose schema is written, never inferred. The same rows give the same bytes."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.downloads import CopyFile
from release_formats.columns import Columns
from release_formats.rows import together

#: Limits of a row group: readers load one at a time, and so does this writer.
ROWS_A_GROUP = 20_000
BYTES_A_GROUP = 32 << 20
#: Rows that become Arrow arrays at a time. A group may end with as many rows above its limit of bytes.
BATCH = 250


def _list_of(kind: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", kind, nullable=False))


TYPES = {
    "string": pa.string(),
    "json": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("us", "UTC"),
    "strings": _list_of(pa.string()),
    "integers": _list_of(pa.int64()),
}


def schema_of(columns: Columns) -> pa.Schema:
    """Return the Arrow schema of these columns."""
    return pa.schema([pa.field(column.name, TYPES[column.kind], column.nullable) for column in columns])


def write(columns: Columns, rows: Iterable[Mapping[str, Any]], file: CopyFile) -> None:
    """Write rows. Raise ArrowException for a row that does not fit the columns, KeyError if it lacks one, and OSError.

    Memory does not depend on the number of rows.
    """
    schema = schema_of(columns)
    with pq.ParquetWriter(Sink(file), schema, compression="zstd", version="2.6") as writer:
        group: list[pa.RecordBatch] = []
        for some in together(rows, BATCH):
            batch = _batch(some, schema)
            if group and _is_full(group, batch):
                _write_group(writer, group)
                group = []
            group.append(batch)
        if group:
            _write_group(writer, group)


def _batch(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Return rows as a batch. `from_pylist` would turn a missing key into null, so the columns are made here."""
    rows = list(rows)
    arrays = [_array([row[field.name] for row in rows], field) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: list[Any], field: pa.Field) -> pa.Array:
    """Return the values of a column. Raise ArrowException for values of another type; Arrow itself cuts fractions."""
    if field.type == TYPES["integer"] and any(isinstance(value, float) for value in values):
        raise pa.ArrowInvalid(f"The column {field.name} has whole numbers, and one of these values is a fraction.")
    return pa.array(values, field.type)


def _is_full(group: list[pa.RecordBatch], more: pa.RecordBatch) -> bool:
    size, number = sum(one.nbytes for one in group), sum(one.num_rows for one in group)
    return bool(number + more.num_rows > ROWS_A_GROUP or size + more.nbytes > BYTES_A_GROUP)


def _write_group(writer: pq.ParquetWriter, group: list[pa.RecordBatch]) -> None:
    table = pa.Table.from_batches(group)
    writer.write_table(table, row_group_size=table.num_rows)


class Sink(io.RawIOBase):
    """A file that Arrow writes, in front of one that counts and hashes its bytes."""

    def __init__(self, file: CopyFile) -> None:
        self.file = file

    def writable(self) -> bool:
        """Return True: Arrow asks."""
        return True

    def write(self, block: Any) -> int:
        """Append a block. Raise OSError."""
        self.file.write(block)
        return len(block)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.file.size
