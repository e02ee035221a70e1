"""Two Python processes that send each other messages: queue-python.py Queue|SimpleQueue|Pipe|faster-fifo

Takes the orders of queue-near.ts, one on each line, and answers as it does.
"""

import json
import struct
import sys
from functools import partial
from itertools import islice
from multiprocessing import Pipe, Process, Queue, SimpleQueue
from time import monotonic_ns, perf_counter_ns, process_time_ns

# The size of every ring whose size one can choose: RING_BYTES of queue-runs.ts.
RING_BYTES = 1 << 20


class End:
    """What one end does with a message, and with a batch of them; it receives a batch as a list."""

    def __init__(self, send, receive, send_many, receive_many):
        self.send, self.receive = send, receive
        self.send_many, self.receive_many = send_many, receive_many


def queue_ends(make, payload):
    there, back = make(), make()
    return [End(a.put, b.get, a.put, b.get) for a, b in ((there, back), (back, there))]


def pipe_ends(payload):
    def end(pipe):
        if payload == "object":
            return End(pipe.send, pipe.recv, pipe.send, pipe.recv)
        return End(pipe.send_bytes, pipe.recv_bytes, pipe.send, pipe.recv)

    return [end(pipe) for pipe in Pipe()]


def faster_fifo_ends(payload):
    from faster_fifo import Queue as Fifo

    plain = {} if payload == "object" else {"dumps": bytes, "loads": bytes}
    there, back = (Fifo(RING_BYTES, **plain) for _ in range(2))
    return [End(a.put, b.get, a.put_many, b.get_many) for a, b in ((there, back), (back, there))]


TRANSPORTS = {
    "Queue": partial(queue_ends, Queue),
    "SimpleQueue": partial(queue_ends, SimpleQueue),
    "Pipe": pipe_ends,
    "faster-fifo": faster_fifo_ends,
}


def outbox(payload):
    """Messages without end. Each bears its number: bytes in the first four and in the last one."""
    number = 0
    middle = b"" if payload == "object" else bytes(int(payload) - 5)
    while True:
        if payload == "object":
            tags, paid = ["new", "express"], number % 2 == 0
            yield {"id": number, "kind": "order", "price": 12.5, "tags": tags, "paid": paid}
        else:
            yield struct.pack("<I", number) + middle + bytes((number & 255,))
        number += 1


def check(payload, message, number):
    if payload == "object":
        whole = message["id"] == number and message["paid"] == (number % 2 == 0)
    else:
        whole = len(message) == int(payload) and struct.unpack_from("<I", message)[0] == number
        whole = whole and message[-1] == number & 255
    if not whole:
        raise ValueError(f"message {number} is not what was sent")


def produce(end, payload, batch, count):
    messages = outbox(payload)
    if batch == 1:
        for message in islice(messages, count):
            end.send(message)
    else:
        for _ in range(count // batch):
            end.send_many(list(islice(messages, batch)))


def consume(end, payload, batch, count):
    number = 0
    while number < count:
        for message in (end.receive(),) if batch == 1 else end.receive_many():
            check(payload, message, number)
            number += 1


def ping(end, payload, count):
    took = []
    for number, message in enumerate(islice(outbox(payload), count)):
        start = perf_counter_ns()
        end.send(message)
        answer = end.receive()
        took.append(perf_counter_ns() - start)
        check(payload, answer, number)
    took.sort()
    return [took[int((count - 1) * share)] for share in (0.5, 0.99)]


def pong(end, count):
    for _ in range(count):
        end.send(end.receive())


def parsed(line):
    kind, payload, batch, count = line.split()
    return kind, payload, int(batch), int(count)


def far(ends, control, other_control):
    # Else this process would keep itself alive.
    other_control.close()
    try:
        while True:
            kind, payload, batch, count = parsed(control.recv())
            end = ends[payload == "object"]
            control.send("ready")
            before = process_time_ns()
            if kind == "stream":
                consume(end, payload, batch, count)
            else:
                pong(end, count)
            control.send((monotonic_ns(), process_time_ns() - before))
    except EOFError:
        pass


def obey(ends, control, line):
    kind, payload, batch, count = parsed(line)
    end = ends[payload == "object"]
    control.send(line)
    control.recv()
    before, start = process_time_ns(), monotonic_ns()
    if kind == "stream":
        produce(end, payload, batch, count)
    else:
        trips = ping(end, payload, count)
    over, far_cpu = control.recv()
    cpu = (process_time_ns() - before + far_cpu) / count
    return [(over - start) / count, cpu] if kind == "stream" else [*trips, cpu]


def main():
    transport = TRANSPORTS[sys.argv[1]]
    try:
        # Bytes and objects each have their own.
        mine, theirs = zip(transport("bytes"), transport("object"))
    except ImportError as error:
        print(json.dumps({"missing": f"{sys.argv[1]}: {error}"}))
        return
    control, other_control = Pipe()
    partner = Process(target=far, args=(theirs, other_control, control), daemon=True)
    partner.start()
    other_control.close()
    print(json.dumps({"version": version_of(sys.argv[1])}), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(mine, control, line)), flush=True)


def version_of(transport):
    if transport != "faster-fifo":
        return ""
    from importlib.metadata import version

    return version(transport)


if __name__ == "__main__":
    main()
