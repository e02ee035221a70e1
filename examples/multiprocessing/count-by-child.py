from multiprocessing import Process, Value


def count(number):
    number.value += 1


if __name__ == '__main__':
    number = Value('i', 41)
    p = Process(target=count, args=(number,))
    p.start()
    p.join()
    print(number.value)
