"""Measures a segment of 1 MiB.

Each line of input is an order, `cycle COUNT`, `fill COUNT` or `open COUNT`. The answer is a line of
JSON: `[ns]` of one repetition. The first line says that the program is ready.
"""

import json
import sys
from multiprocessing.shared_memory import SharedMemory
from time import perf_counter_ns

SIZE = 1 << 20
ONES = b"\1" * SIZE


def cycle(contents=None):
    made = SharedMemory(create=True, size=SIZE)
    opened = SharedMemory(made.name)
    if contents:
        made.buf[:] = contents
    opened.close()
    made.close()
    made.unlink()


def main():
    existing = SharedMemory(create=True, size=SIZE)
    deeds = {
        "cycle": cycle,
        "fill": lambda: cycle(ONES),
        "open": lambda: SharedMemory(existing.name).close(),
    }
    print("{}", flush=True)
    for line in sys.stdin:
        deed, count = line.split()
        repeat, count = deeds[deed], int(count)
        start = perf_counter_ns()
        for _ in range(count):
            repeat()
        print(json.dumps([(perf_counter_ns() - start) / count]), flush=True)
    existing.close()
    existing.unlink()


main()
