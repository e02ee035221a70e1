from multiprocessing import Process


def greet(name):
    print('hello', name, flush=True)


if __name__ == '__main__':
    p = Process(target=greet, args=('bob',))
    p.start()
    p.join()
    print(p.exitcode)
