from multiprocessing import Lock, Process, Value


def add(lock, total, n):
    with lock:
        before = total.value
        total.value = before + n
        print('hello world', n, flush=True)


if __name__ == '__main__':
    lock = Lock()
    total = Value('i', 0, lock=False)
    children = [Process(target=add, args=(lock, total, n)) for n in range(10)]
    for p in children:
        p.start()
    for p in children:
        p.join()
    print('total', total.value)
