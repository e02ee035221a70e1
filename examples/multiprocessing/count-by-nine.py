from multiprocessing import Process, Value


def count(number):
    for _ in range(50):
        with number.get_lock():
            number.value += 1


if __name__ == '__main__':
    number = Value('i', 0)
    children = [Process(target=count, args=(number,)) for _ in range(9)]
    for p in children:
        p.start()
    for p in children:
        p.join()
    print(number.value)
