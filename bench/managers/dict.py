"""Measures Python's Manager. An order is a call, how many, and how many at a time."""

import json
import sys
import threading
import time
from multiprocessing import Manager


def main():
    with Manager() as manager:
        scores, items = manager.dict(a="hello world"), manager.list()
        calls = {"get": lambda: scores.get("a"), "push": lambda: items.append(1)}
        print(json.dumps({"version": ""}), flush=True)
        for line in sys.stdin:
            call, count, at_once = line.split()
            print(json.dumps([measure(calls[call], int(count), int(at_once))]), flush=True)
            items[:] = []


def measure(call, count, at_once):
    def some():
        for _ in range(max(1, count // at_once)):
            call()

    threads = [threading.Thread(target=some) for _ in range(at_once)]
    start = time.perf_counter_ns()
    if at_once == 1:
        some()
    else:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return (time.perf_counter_ns() - start) / (max(1, count // at_once) * at_once)


if __name__ == "__main__":
    main()
