"""What SQL makes of it: ``duckdb_sql.py huber|mae|eight|groups|copy|mean FILE [OUT]``."""

import json
import sys

import duckdb

# The error is that of the prediction, as losscli's formulas have it.
ERROR = "(pred - target)"
HUBER = f"CASE WHEN abs({ERROR}) <= 1 THEN 0.5 * {ERROR} * {ERROR} ELSE abs({ERROR}) - 0.5 END"
EIGHT = [
    f"abs({ERROR})",
    f"{ERROR} * {ERROR}",
    HUBER,
    f"abs({ERROR}) + ln(1 + exp(-2 * abs({ERROR}))) - ln(2)",
    f"greatest(-0.9 * {ERROR}, 0.1 * {ERROR})",
    f"CASE WHEN {ERROR} < 0 THEN 0.9 ELSE 0.1 END * {ERROR} * {ERROR}",
    f"greatest(0, abs({ERROR}) - 0.1)",
    f"greatest(0, abs({ERROR}) - 0.1) ** 2",
]


def answers(task: str, file: str, out: str) -> list[float]:
    """The costs; for ``groups`` in the order of the groups' names."""
    if task == "copy":
        duckdb.sql(f"COPY (SELECT {HUBER} AS huber FROM '{file}') TO '{out}' (FORMAT parquet)")
        return []
    if task == "groups":
        query = f'SELECT avg({HUBER}) FROM \'{file}\' GROUP BY "group" ORDER BY "group"'
        return [row[0] for row in duckdb.sql(query).fetchall()]
    losses = {"huber": [HUBER], "mae": EIGHT[:1], "eight": EIGHT, "mean": ["huber"]}[task]
    query = f"SELECT {', '.join(f'avg({loss})' for loss in losses)} FROM '{file}'"
    return list(duckdb.sql(query).fetchall()[0])


if __name__ == "__main__":
    print(json.dumps({"answer": answers(sys.argv[1], sys.argv[2], sys.argv[-1])}))
