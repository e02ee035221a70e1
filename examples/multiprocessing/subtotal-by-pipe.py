from multiprocessing import Pipe, Process


def add_up(conn, first, last):
    conn.send(sum(range(first, last)))
    conn.close()


if __name__ == '__main__':
    here, there = Pipe()
    p = Process(target=add_up, args=(there, 500, 1000))
    p.start()
    print('total', sum(range(500)) + here.recv())
    p.join()
