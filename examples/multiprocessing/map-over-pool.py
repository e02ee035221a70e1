from multiprocessing import Pool


def cube(n):
    return n**3


if __name__ == '__main__':
    with Pool(3) as pool:
        print(pool.map(cube, range(10)))
        for n in pool.imap(cube, range(5), chunksize=2):
            print(n)
        print(sorted(pool.imap_unordered(cube, range(5))))
