"""Python processes that send each other messages: python.py TRANSPORT LARGEST FAR

TRANSPORT is Queue, SimpleQueue, Pipe or faster-fifo. Takes arguments and orders as near.ts does,
and answers as near.ts does.
"""

import json
import struct
import sys
from functools import partial
from itertools import islice
from multiprocessing import Pipe, Process, Queue, SimpleQueue
from time import monotonic_ns, perf_counter_ns, process_time_ns

# The size of all rings whose size can be chosen, as ringBytes() of transport.ts computes it.
RING_BYTES = max(1 << 20, 4 * (int(sys.argv[2]) + 64))


class End:
    """The calls of one end, for a message and for a batch, which it receives as a list."""

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


def outbox(payload, number=0):
    """Endless messages. Bytes carry their number in the first four bytes and in the last one."""
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


def produce(end, payload, batch, count, first=0):
    messages = outbox(payload, first)
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


def number_in(payload, message):
    return message["id"] if payload == "object" else struct.unpack_from("<I", message)[0]


def gather(end, payload, count, senders):
    """Receives the messages of all senders, each of which sends equally many, in order."""
    each = count // senders
    expected = [sender * each for sender in range(senders)]
    for _ in range(count):
        message = end.receive()
        sender = number_in(payload, message) // each
        check(payload, message, expected[sender])
        expected[sender] += 1


def ping(end, payload, count, shares):
    took = []
    for number, message in enumerate(islice(outbox(payload), count)):
        start = perf_counter_ns()
        end.send(message)
        answer = end.receive()
        took.append(perf_counter_ns() - start)
        check(payload, answer, number)
    took.sort()
    return [took[int((count - 1) * share)] for share in shares]


def pong(end, count):
    for _ in range(count):
        end.send(end.receive())


def parsed(line):
    kind, payload, batch, count, first, *lists = line.split()
    shares = [float(share) for shares in lists for share in shares.split(",")]
    return kind, payload, int(batch), int(count), int(first), shares


def far(ends, control, other_control):
    # Otherwise this process would hold both ends, and would never see the pipe closed.
    other_control.close()
    try:
        while True:
            kind, payload, batch, count, first, _ = parsed(control.recv())
            end = ends[payload == "object"]
            control.send("ready")
            before = process_time_ns()
            if kind == "stream":
                consume(end, payload, batch, count)
            elif kind == "gather":
                produce(end, payload, batch, count, first)
            else:
                pong(end, count)
            control.send((monotonic_ns(), process_time_ns() - before))
    except EOFError:
        pass


def obey_with_all(ends, controls, line):
    """Each far end sends its part as soon as it gets the order."""
    kind, payload, batch, count, _, _ = parsed(line)
    each = count // len(controls)
    start = monotonic_ns()
    for sender, control in enumerate(controls):
        control.send(f"{kind} {payload} {batch} {each} {sender * each}")
    gather(ends[payload == "object"], payload, count, len(controls))
    over = monotonic_ns()
    for control in controls:
        control.recv(), control.recv()
    return [(over - start) / count]


def obey(ends, control, line):
    kind, payload, batch, count, _, shares = parsed(line)
    end = ends[payload == "object"]
    control.send(line)
    control.recv()
    before, start = process_time_ns(), monotonic_ns()
    if kind == "stream":
        produce(end, payload, batch, count)
    else:
        trips = ping(end, payload, count, shares)
    over, far_cpu = control.recv()
    cpu = (process_time_ns() - before + far_cpu) / count
    return [(over - start) / count, cpu] if kind == "stream" else [*trips, cpu]


def start(ends):
    """Starts a far end with these queues. Returns the pipe for its orders."""
    control, other_control = Pipe()
    Process(target=far, args=(ends, other_control, control), daemon=True).start()
    other_control.close()
    return control


def main():
    transport = TRANSPORTS[sys.argv[1]]
    try:
        # Bytes and objects have queues of their own.
        mine, theirs = zip(transport("bytes"), transport("object"))
    except ImportError as error:
        print(json.dumps({"missing": f"{sys.argv[1]}: {error}"}))
        return
    controls = [start(theirs) for _ in range(int(sys.argv[3]))]
    print(json.dumps({"version": version_of(sys.argv[1])}), flush=True)
    for line in sys.stdin:
        gathers = line.startswith("gather")
        answer = obey_with_all(mine, controls, line) if gathers else obey(mine, controls[0], line)
        print(json.dumps(answer), flush=True)


def version_of(transport):
    if transport != "faster-fifo":
        return ""
    from importlib.metadata import version

    return version(transport)


if __name__ == "__main__":
    main()
