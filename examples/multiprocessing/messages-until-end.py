from multiprocessing import Pipe, Process


def talk(mouth):
    for word in ['one', 'two', 'three', 'END']:
        mouth.send(word)
    mouth.close()


def listen(ear):
    for word in iter(ear.recv, 'END'):
        print('heard', word)


if __name__ == '__main__':
    ear, mouth = Pipe(duplex=False)
    children = [Process(target=talk, args=(mouth,)), Process(target=listen, args=(ear,))]
    for p in children:
        p.start()
    for p in children:
        p.join()
    print([p.exitcode for p in children])
