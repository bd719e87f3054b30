"""What most people write: a frame in memory, a metric over its columns. ``pandas_sklearn.py FILE``."""

import json
import sys

import pandas
from sklearn.metrics import mean_absolute_error

if __name__ == "__main__":
    file = sys.argv[1]
    frame = pandas.read_parquet(file) if file.endswith(".parquet") else pandas.read_csv(file)
    print(json.dumps({"answer": [float(mean_absolute_error(frame["target"], frame["pred"]))]}))
