from multiprocessing import Manager, Process


def produce(queue, count):
    for i in range(count):
        queue.put(f'part {i}')
    queue.put(None)


def consume(queue, done):
    while (part := queue.get()) is not None:
        done.append(part)


if __name__ == '__main__':
    with Manager() as manager:
        queue = manager.Queue(2)
        done = manager.list()
        children = [
            Process(target=produce, args=(queue, 5)),
            Process(target=consume, args=(queue, done)),
        ]
        for p in children:
            p.start()
        for p in children:
            p.join()
        print(*done, sep=', ')
