from multiprocessing import Process, Queue


def add_up(subtotals, child):
    subtotals.put(sum(range(100 * child, 100 * child + 100)))
    subtotals.put('exit')


if __name__ == '__main__':
    subtotals = Queue()
    children = [Process(target=add_up, args=(subtotals, child)) for child in range(5)]
    for p in children:
        p.start()
    total = exits = 0
    while exits < len(children):
        message = subtotals.get()
        if message == 'exit':
            exits += 1
        else:
            print('subtotal', message)
            total += message
    print('total', total)
    for p in children:
        p.join()
