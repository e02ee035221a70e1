"""Measures a pool of Python's: pools.py PACKAGE OPTION WORKERS

PACKAGE is multiprocessing or concurrent.futures. Takes orders and answers as program.ts does.
"""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor

NEVER = 2  # Seconds; terms.ts has it in milliseconds.
IN_FLIGHT, CHUNKS = 64, 4


def nothing(_=None):
    pass


def square(number):
    return number * number


def passing(array):
    array[0] += 1
    array[-1] += 1
    return array


def meet(folder, workers):
    open(os.path.join(folder, str(os.getpid())), "w").close()
    while len(os.listdir(folder)) < workers:
        time.sleep(0.001)


def die(file):
    with open(file, "w") as out:
        out.write(str(time.monotonic_ns()))
    os.kill(os.getpid(), signal.SIGKILL)


class Multiprocessing:
    def __init__(self, workers):
        self.pool = multiprocessing.Pool(workers)

    def submit(self, function, arguments, done):
        self.pool.apply_async(function, arguments, callback=done, error_callback=done)

    def run(self, function, *arguments, timeout=None):
        return self.pool.apply_async(function, arguments).get(timeout)

    def map(self, function, numbers, workers):
        return self.pool.map(function, numbers)

    def close(self):
        self.pool.terminate()
        self.pool.join()


class Futures:
    def __init__(self, workers):
        self.pool = ProcessPoolExecutor(workers)

    def submit(self, function, arguments, done):
        self.pool.submit(function, *arguments).add_done_callback(done)

    def run(self, function, *arguments, timeout=None):
        return self.pool.submit(function, *arguments).result(timeout)

    def map(self, function, numbers, workers):
        size = -(-len(numbers) // (workers * CHUNKS))
        return list(self.pool.map(function, numbers, chunksize=size))

    def close(self):
        self.pool.shutdown()


class Orders:
    def __init__(self, kind, workers):
        self.kind, self.workers = kind, workers
        self.lasting = None
        self.array = None

    def pool(self):
        self.lasting = self.lasting or self.kind(self.workers)
        return self.lasting

    def nothing(self, count):
        """A task that has ended starts the next one, until there are no more."""
        pool, over, lock = self.pool(), threading.Event(), threading.Lock()
        left, running = count, IN_FLIGHT

        def one(_=None):
            nonlocal left, running
            with lock:
                left -= 1
                if left < 0:
                    running -= 1
                    if running == 0:
                        over.set()
                    return
            pool.submit(nothing, (), one)

        start = time.perf_counter_ns()
        for _ in range(IN_FLIGHT):
            one()
        over.wait()
        return (time.perf_counter_ns() - start) / count

    def map(self, count):
        pool, numbers = self.pool(), list(range(count))
        start = time.perf_counter_ns()
        results = pool.map(square, numbers, self.workers)
        took = time.perf_counter_ns() - start
        if results != [number * number for number in numbers]:
            raise ValueError("the squares are wrong")
        return took

    def pass_(self, size):
        import numpy

        pool = self.pool()
        if self.array is None or self.array.nbytes != size:
            self.array = numpy.ones(size // 8)
        expected = self.array[-1] + 1
        start = time.perf_counter_ns()
        array = pool.run(passing, self.array)
        took = time.perf_counter_ns() - start
        if array[-1] != expected:
            raise ValueError("the array that came is not what was sent")
        return took

    def ready(self, workers):
        folder, all_met = tempfile.mkdtemp(), threading.Semaphore(0)
        start = time.perf_counter_ns()
        pool = self.kind(workers)
        for _ in range(workers):
            pool.submit(meet, (folder, workers), lambda _: all_met.release())
        for _ in range(workers):
            all_met.acquire()
        took = time.perf_counter_ns() - start
        pool.close()
        shutil.rmtree(folder)
        return took

    def death(self):
        folder = tempfile.mkdtemp()
        file = os.path.join(folder, "time")
        pool = self.kind(1)
        pool.run(nothing)
        known = None
        try:
            pool.run(die, file, timeout=NEVER)
        except (TimeoutError, multiprocessing.TimeoutError):
            pass
        except Exception:
            known = time.monotonic_ns()
        with open(file) as written:
            died = int(written.read())
        shutil.rmtree(folder)
        pool.close()
        return known and known - died


def main():
    kind = {"multiprocessing": Multiprocessing, "concurrent.futures": Futures}[sys.argv[1]]
    orders = Orders(kind, int(sys.argv[3]))
    print(json.dumps({"version": ""}), flush=True)
    for line in sys.stdin:
        order, *size = line.split()
        try:
            figure = getattr(orders, order.replace("pass", "pass_"))(*map(int, size))
            print(json.dumps([figure]), flush=True)
        except Exception as error:
            print(json.dumps({"failed": f"{type(error).__name__}: {error}"}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
