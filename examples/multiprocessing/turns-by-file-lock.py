import fcntl
import os
import tempfile
from multiprocessing import Process


def in_turn(path, act):
    """Calls `act` with the file, locked, until it does something."""
    done = False
    while not done:
        with open(path, 'r+') as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            done = act(file)


def write(path):
    for number in range(5):

        def put(file, number=number):
            return file.read() == '' and file.write(f'number {number}')

        in_turn(path, put)


def read(path):
    for _ in range(5):

        def take(file):
            text = file.read()
            if text:
                print('read', text)
                file.truncate(0)
            return text

        in_turn(path, take)


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'slate')
        open(path, 'w').close()
        children = [Process(target=write, args=(path,)), Process(target=read, args=(path,))]
        for p in children:
            p.start()
        for p in children:
            p.join()
