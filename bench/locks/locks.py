"""Measures multiprocessing.Lock and Semaphore in nanoseconds.

locks.py acquire|with ITERATIONS                       one process acquires and releases a lock
locks.py operations|hand-overs PROCESSES MILLISECONDS  processes contend for a lock all the time
locks.py turns ITERATIONS                              two processes signal each other in turn
"""

import sys
from multiprocessing import Lock, Process, Queue, Semaphore
from multiprocessing.shared_memory import SharedMemory
from time import perf_counter_ns, sleep

# Fields of the board that contending processes share, each a number of 64 bits.
STATE, LAST, READY = 0, 1, 2
WAITING, RUNNING, OVER = 0, 1, 2


def acquire(iterations):
    lock = Lock()
    start = perf_counter_ns()
    for _ in range(iterations):
        lock.acquire()
        lock.release()
    return (perf_counter_ns() - start) / iterations


def with_lock(iterations):
    lock = Lock()
    start = perf_counter_ns()
    for _ in range(iterations):
        with lock:
            pass
    return (perf_counter_ns() - start) / iterations


def contender(me, lock, name, results):
    memory = SharedMemory(name)
    board = memory.buf.cast("q")
    with lock:
        board[READY] += 1
    while board[STATE] == WAITING:
        pass
    operations = hand_overs = 0
    start = perf_counter_ns()
    while board[STATE] == RUNNING:
        lock.acquire()
        if board[LAST] != me:
            board[LAST] = me
            hand_overs += 1
        lock.release()
        operations += 1
    results.put((operations, hand_overs, perf_counter_ns() - start))
    board.release()
    memory.close()


def contend(what, processes, milliseconds):
    lock, results = Lock(), Queue()
    memory = SharedMemory(create=True, size=64)
    board = memory.buf.cast("q")
    children = [
        Process(target=contender, args=(me, lock, memory.name, results))
        for me in range(1, processes + 1)
    ]
    for child in children:
        child.start()
    while board[READY] < processes:
        sleep(0.001)
    board[STATE] = RUNNING
    sleep(milliseconds / 1000)
    board[STATE] = OVER
    counts = [results.get() for _ in children]
    for child in children:
        child.join()
    board.release()
    memory.close()
    memory.unlink()
    took = sum(count[2] for count in counts) / processes
    return took / max(1, sum(count[0 if what == "operations" else 1] for count in counts))


def answering(iterations, ping, pong):
    for _ in range(iterations):
        ping.acquire()
        pong.release()


def turns(iterations):
    ping, pong = Semaphore(0), Semaphore(0)
    partner = Process(target=answering, args=(iterations + 1, ping, pong))
    partner.start()
    ping.release()
    pong.acquire()
    start = perf_counter_ns()
    for _ in range(iterations):
        ping.release()
        pong.acquire()
    took = perf_counter_ns() - start
    partner.join()
    return took / iterations


def main():
    deed, numbers = sys.argv[1], [int(number) for number in sys.argv[2:]]
    if deed == "acquire":
        print(acquire(*numbers))
    elif deed == "with":
        print(with_lock(*numbers))
    elif deed == "turns":
        print(turns(*numbers))
    else:
        print(contend(deed, *numbers))


if __name__ == "__main__":
    main()
