from multiprocessing import Manager, Process


def change(words, numbers):
    words[1] = 'one'
    words['2'] = 'two'
    words[0.25] = 'a quarter'
    numbers.reverse()


if __name__ == '__main__':
    with Manager() as manager:
        words = manager.dict()
        numbers = manager.list(range(10))
        p = Process(target=change, args=(words, numbers))
        p.start()
        p.join()
        for key, value in words.items():
            print(key, value)
        print(*numbers)
