"""Measures multiprocessing.Lock and Semaphore.

Each line of input is an order, and the answer is a line of JSON: nanoseconds. CPU time is that of all
processes that take part. The first line says that the program is ready.

acquire COUNT, with COUNT       one process acquires and releases a lock: [per operation]
turns COUNT                     two processes signal each other in turn: [per round, CPU time]
contend PROCESSES MILLISECONDS  processes contend for a lock all the time:
                                [per operation, CPU time, per hand-over, CPU time]
"""

import json
import sys
from multiprocessing import Lock, Pipe, Process, Semaphore
from multiprocessing.shared_memory import SharedMemory
from time import perf_counter_ns, process_time_ns, sleep

# Fields of the board that contending processes share, each a number of 64 bits.
STATE, LAST, READY = 0, 1, 2
WAITING, RUNNING, OVER = 0, 1, 2


def acquire(count):
    lock = Lock()
    start = perf_counter_ns()
    for _ in range(count):
        lock.acquire()
        lock.release()
    return [(perf_counter_ns() - start) / count]


def with_lock(count):
    lock = Lock()
    start = perf_counter_ns()
    for _ in range(count):
        with lock:
            pass
    return [(perf_counter_ns() - start) / count]


def contend(me, lock, board):
    with lock:
        board[READY] += 1
    while board[STATE] == WAITING:
        pass
    operations = hand_overs = 0
    start, cpu = perf_counter_ns(), process_time_ns()
    while board[STATE] == RUNNING:
        lock.acquire()
        if board[LAST] != me:
            board[LAST] = me
            hand_overs += 1
        lock.release()
        operations += 1
    return operations, hand_overs, perf_counter_ns() - start, process_time_ns() - cpu


def answer(count, ping, pong):
    start = process_time_ns()
    for _ in range(count):
        ping.acquire()
        pong.release()
    return process_time_ns() - start


class Helpers:
    """Processes that take part in contention and in turns."""

    def __init__(self):
        self.lock, self.ping, self.pong = Lock(), Semaphore(0), Semaphore(0)
        self.memory = SharedMemory(create=True, size=64)
        self.board = self.memory.buf.cast("q")
        self.controls = []

    def need(self, processes):
        while len(self.controls) < processes:
            control, theirs = Pipe()
            me = len(self.controls) + 1
            Process(target=self.help, args=(me, control, theirs), daemon=True).start()
            theirs.close()
            self.controls.append(control)
        return self.controls[:processes]

    def help(self, me, other_end, control):
        # Otherwise this process would hold both ends, and would never see the pipe closed.
        for end in (other_end, *self.controls):
            end.close()
        try:
            while True:
                count = control.recv()
                if count:
                    control.send(answer(count, self.ping, self.pong))
                else:
                    control.send(contend(me, self.lock, self.board))
        except EOFError:
            pass

    def contend(self, processes, milliseconds):
        controls = self.need(int(processes))
        self.board[STATE], self.board[READY] = WAITING, 0
        for control in controls:
            control.send(0)
        while self.board[READY] < processes:
            sleep(0.001)
        self.board[STATE] = RUNNING
        sleep(milliseconds / 1000)
        self.board[STATE] = OVER
        operations, hand_overs, took, cpu = map(sum, zip(*[control.recv() for control in controls]))
        counts = [max(1, count) for count in (operations, hand_overs)]
        return [ns / count for count in counts for ns in (took / processes, cpu)]

    def turns(self, count):
        (control,) = self.need(1)
        # One round that isn't measured: when it is over, the other side is there.
        control.send(count + 1)
        self.ping.release()
        self.pong.acquire()
        start, cpu = perf_counter_ns(), process_time_ns()
        for _ in range(count):
            self.ping.release()
            self.pong.acquire()
        took, cpu = perf_counter_ns() - start, process_time_ns() - cpu
        return [took / count, (cpu + control.recv()) / count]

    def end(self):
        for control in self.controls:
            control.close()
        self.board.release()
        self.memory.close()
        self.memory.unlink()


def main():
    helpers = Helpers()
    deeds = {
        "acquire": acquire,
        "with": with_lock,
        "turns": helpers.turns,
        "contend": helpers.contend,
    }
    print("{}", flush=True)
    for line in sys.stdin:
        deed, *numbers = line.split()
        print(json.dumps(deeds[deed](*map(float if deed == "contend" else int, numbers))), flush=True)
    helpers.end()


if __name__ == "__main__":
    main()
