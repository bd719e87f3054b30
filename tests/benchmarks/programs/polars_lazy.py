"""What polars' lazy frames make of it: ``polars_lazy.py huber|groups FILE``."""

import json
import sys

import polars

if __name__ == "__main__":
    task, file = sys.argv[1:]
    frame = polars.scan_parquet(file) if file.endswith(".parquet") else polars.scan_csv(file)
    error = polars.col("pred") - polars.col("target")
    huber = polars.when(error.abs() <= 1).then(0.5 * error * error).otherwise(error.abs() - 0.5).mean()
    query = frame.group_by("group").agg(huber=huber).sort("group") if task == "groups" else frame.select(huber=huber)
    print(json.dumps({"answer": query.collect(engine="streaming")["huber"].to_list()}))
