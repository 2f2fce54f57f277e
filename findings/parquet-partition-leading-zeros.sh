#!/usr/bin/env bash
# Expected: a string column written as folders (`category=0042/`) comes back as strings, whoever writes and reads.
# Seen: pyarrow reads its own folders back as the number 42, and cannot open those of polars. polars reads its own
#   correctly, and those of the others as 42. DuckDB reads "0042" from all three. pyarrow 26.0.1, polars 2.1.0, duckdb
#   2.0.1.
# Matters: category codes, shop ids and GTINs begin with zeros. After an export and an import they match nothing in the
#   catalogue. Give readers the schema, or keep such a column out of the folder names.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1
venv/bin/python -I - <<'PYTHON'
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table({"category": ["0042", "0007"], "item": ["mug", "lamp"]})
pq.write_to_dataset(table, "pyarrow", partition_cols=["category"])
pl.from_arrow(table).write_parquet("polars", partition_by="category", mkdir=True)
duckdb.from_arrow(table).write_parquet("duckdb", partition_by=["category"])

READERS = {
    "pyarrow": lambda folder: pq.read_table(folder)["category"].to_pylist(),
    "polars": lambda folder: pl.read_parquet(folder)["category"].to_list(),
    "duckdb": lambda folder: [row[0] for row in duckdb.sql(f"SELECT category FROM '{folder}/**/*.parquet'").fetchall()],
}


def read(reader, writer):
    try:
        return sorted(READERS[reader](writer))
    except pa.ArrowTypeError as error:
        return f"ArrowTypeError: {error}"


print(f"pyarrow {pa.__version__}, polars {pl.__version__}, duckdb {duckdb.__version__}; written: ['0007', '0042']")
seen = {}
for writer in READERS:
    for reader in READERS:
        seen[writer, reader] = values = read(reader, writer)
        print(f"  written by {writer}, read by {reader}: {values}")
for (writer, reader), values in seen.items():
    if (writer, reader) == ("polars", "pyarrow"):
        right = "incompatible types" in values
    else:
        right = values == (["0007", "0042"] if reader == "duckdb" or writer == reader == "polars" else [7, 42])
    if not right:
        sys.exit(f"another behaviour: written by {writer}, read by {reader}")
PYTHON
