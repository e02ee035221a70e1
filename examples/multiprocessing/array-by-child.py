from multiprocessing import Array, Process


def increment(numbers):
    for i in range(len(numbers)):
        numbers[i] += 1


if __name__ == '__main__':
    numbers = Array('i', [10, 20, 30])
    p = Process(target=increment, args=(numbers,))
    p.start()
    p.join()
    print(numbers[:])
