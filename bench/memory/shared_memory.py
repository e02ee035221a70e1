"""Measures a segment of 1 MiB in nanoseconds: shared_memory.py cycle|fill|open ITERATIONS"""

import sys
from multiprocessing.shared_memory import SharedMemory
from time import perf_counter_ns

SIZE = 1 << 20
ONES = b"\1" * SIZE
WARM_UP = 50


def cycle(contents=None):
    made = SharedMemory(create=True, size=SIZE)
    opened = SharedMemory(made.name)
    if contents:
        made.buf[:] = contents
    opened.close()
    made.close()
    made.unlink()


def measure(deed, iterations):
    for _ in range(WARM_UP):
        deed()
    start = perf_counter_ns()
    for _ in range(iterations):
        deed()
    print((perf_counter_ns() - start) / iterations)


def main():
    deed, iterations = sys.argv[1], int(sys.argv[2])
    if deed == "cycle":
        measure(cycle, iterations)
    elif deed == "fill":
        measure(lambda: cycle(ONES), iterations)
    elif deed == "open":
        existing = SharedMemory(create=True, size=SIZE)
        measure(lambda: SharedMemory(existing.name).close(), iterations)
        existing.close()
        existing.unlink()


main()
