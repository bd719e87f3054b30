"""One call over arrays in memory: ``whole_arrays.py huber|mae|cross-entropy|log-loss|numpy PRED TARGET``.

The seconds are those of the call alone, after a first call over a few rows.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy


def calls(task: str) -> Callable[[numpy.ndarray, numpy.ndarray], float]:
    """The call; each library is imported only where it is used."""
    if task == "numpy":

        def huber(pred: numpy.ndarray, target: numpy.ndarray) -> float:
            size = numpy.abs(pred - target)
            return float(numpy.where(size <= 1, 0.5 * size * size, size - 0.5).mean())

        return huber
    if task in ("mae", "log-loss"):
        from sklearn.metrics import log_loss, mean_absolute_error

        if task == "mae":
            return lambda pred, target: float(mean_absolute_error(target, pred))
        return lambda pred, target: float(log_loss(target, pred, labels=numpy.arange(pred.shape[1])))
    import torch

    function = {"huber": torch.nn.functional.huber_loss, "cross-entropy": torch.nn.functional.cross_entropy}[task]
    return lambda pred, target: function(torch.from_numpy(pred), torch.from_numpy(target)).item()


if __name__ == "__main__":
    call = calls(sys.argv[1])
    pred, target = map(numpy.load, sys.argv[2:])
    call(pred[:100], target[:100])
    started = time.perf_counter()
    answer = call(pred, target)
    print(json.dumps({"answer": [answer], "seconds": time.perf_counter() - started}))
