from multiprocessing import Process, Semaphore, Value


def write(empty, full, slot):
    for number in range(5):
        empty.acquire()
        slot.value = number**2
        full.release()


def read(empty, full, slot):
    for _ in range(5):
        full.acquire()
        print('read', slot.value)
        empty.release()


if __name__ == '__main__':
    empty, full, slot = Semaphore(1), Semaphore(0), Value('i')
    children = [Process(target=target, args=(empty, full, slot)) for target in (write, read)]
    for p in children:
        p.start()
    for p in children:
        p.join()
