"""On a GPU: ``on_gpu.py losscli|read|copy PRED TARGET``.

``losscli`` computes the Huber loss of arrays on the device; ``read`` only adds up both arrays, as fast as the device
can read them; ``copy`` only brings the files to the device, by way of memory that the bus can read directly. The
seconds are those of one call, the median of several after as many others: losscli compiles its sums once that pays.
"""

import json
import statistics
import sys
import time

import numpy
import torch

import losscli

REPEATS = 11
BLOCK = 1 << 22


def copied(files: list[str]) -> None:
    """Brings files to the device: one block is filled while the bus takes the other."""
    blocks = [torch.empty(BLOCK, dtype=torch.float64, pin_memory=True) for _ in range(2)]
    taken = [torch.cuda.Event() for _ in blocks]
    for file in files:
        array = numpy.load(file, mmap_mode="r")
        device = torch.empty(len(array), dtype=torch.float64, device="cuda")
        for number, start in enumerate(range(0, len(array), BLOCK)):
            n = min(BLOCK, len(array) - start)
            block, event = blocks[number % 2], taken[number % 2]
            event.synchronize()
            block.numpy()[:n] = array[start : start + n]
            device[start : start + n].copy_(block[:n], non_blocking=True)
            event.record()
    torch.cuda.synchronize()


if __name__ == "__main__":
    task, *files = sys.argv[1:]
    loaded = [] if task == "copy" else [torch.from_numpy(numpy.load(file)).cuda() for file in files]
    if task == "copy":
        copied(files)
    seconds, answer = [], []
    for _ in range(1 if task == "copy" else 2 * REPEATS):
        torch.cuda.synchronize()
        started = time.perf_counter()
        if task == "losscli":
            answer = [losscli.compute("huber", pred=loaded[0], target=loaded[1], device="cuda").value]
        elif task == "read":
            sums = [array.sum() for array in loaded]
            torch.cuda.synchronize()
        else:
            copied(files)
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"answer": answer, "seconds": statistics.median(seconds[-REPEATS:])}))
