"""One call of losscli over files, torch being imported already: ``losscli_call.py SPEC PRED TARGET [NAME=VALUE ...]``.

The seconds are those of the call alone, reading included, after a first call over a few rows.
"""

import json
import sys
import time

import numpy

import losscli

if __name__ == "__main__":
    spec, pred, target, *settings = sys.argv[1:]
    given = {name: int(value) if value.isdigit() else value for name, value in (each.split("=") for each in settings)}
    few = {"pred": numpy.load(pred, mmap_mode="r")[:100], "target": numpy.load(target, mmap_mode="r")[:100]}
    losscli.compute(spec, **few, **given)
    started = time.perf_counter()
    answer = losscli.compute(spec, pred=pred, target=target, **given).value
    print(json.dumps({"answer": [answer], "seconds": time.perf_counter() - started}))
