from multiprocessing import Pool


def cube(n):
    if n < 0:
        raise ValueError(f'{n} is negative')
    return n**3


if __name__ == '__main__':
    with Pool(2) as pool:
        result = pool.apply_async(cube, (3,))
        print(result.get(timeout=60))
        print('ready' if result.ready() else 'waiting')
        failed = pool.apply_async(cube, (-1,))
        failed.wait()
        print('successful' if failed.successful() else 'failed')
        try:
            failed.get()
        except ValueError as error:
            print(error)
