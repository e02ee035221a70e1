from multiprocessing import Pipe, Process, Queue


def put(queue):
    queue.put([42, None, 'hello'])


def send(conn):
    conn.send([42, None, 'hello'])
    conn.close()


def show(number, nothing, text):
    print(number, 'nothing' if nothing is None else nothing, text)


if __name__ == '__main__':
    queue = Queue()
    p = Process(target=put, args=(queue,))
    p.start()
    show(*queue.get())
    p.join()

    parent_conn, child_conn = Pipe()
    p = Process(target=send, args=(child_conn,))
    p.start()
    child_conn.close()
    show(*parent_conn.recv())
    try:
        parent_conn.recv()
    except EOFError:
        print('the end')
    p.join()
