from multiprocessing import Process, Queue


def calculate(op, a, b):
    return '%d %s %d = %d' % (a, op, b, a * b if op == '*' else a + b)


def work(tasks, done):
    for task in iter(tasks.get, 'STOP'):
        done.put(calculate(*task))


if __name__ == '__main__':
    todo = [('*', i, 7) for i in range(20)] + [('+', i, 8) for i in range(10)]
    tasks, done = Queue(), Queue()
    workers = [Process(target=work, args=(tasks, done)) for _ in range(4)]
    for p in workers:
        p.start()
    for task in todo:
        tasks.put(task)
    for _ in todo:
        print(done.get())
    for _ in workers:
        tasks.put('STOP')
    for p in workers:
        p.join()
    print([p.exitcode for p in workers])
