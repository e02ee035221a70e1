from contextlib import nullcontext
from multiprocessing import Lock, Manager, Process


def append(words, lock, name):
    with lock or nullcontext():
        for i in range(3):
            words.append(f'{name}{i}')


def fill(words, lock):
    children = [Process(target=append, args=(words, lock, name)) for name in 'ab']
    for p in children:
        p.start()
    for p in children:
        p.join()
    return list(words)


if __name__ == '__main__':
    with Manager() as manager:
        print('in any order:', *sorted(fill(manager.list(), None)))
        words = fill(manager.list(), Lock())
        print('in turns:', *(words if words[0] == 'a0' else words[3:] + words[:3]))
