from ctypes import Structure, c_double
from multiprocessing import Array, Lock, Process, Value


class Point(Structure):
    _fields_ = [('x', c_double), ('y', c_double)]


def negate(number, array):
    number.value = 2.625
    for i in range(len(array)):
        array[i] = -array[i]


def square(n, x, points):
    n.value **= 2
    x.value **= 2
    for point in points:
        point.x **= 2
        point.y **= 2


def run(*args):
    p = Process(target=args[0], args=args[1:])
    p.start()
    p.join()


if __name__ == '__main__':
    number = Value('d', 0.0)
    array = Array('i', range(10))
    run(negate, number, array)
    print(number.value)
    print(array[:])

    lock = Lock()
    n = Value('i', 7)
    x = Value(c_double, 1.0 / 3.0, lock=False)
    points = Array(Point, [(1.875, -6.25), (-5.75, 2.5), (2.375, 9.5)], lock=lock)
    run(square, n, x, points)
    print(n.value)
    print(x.value)
    print([[point.x, point.y] for point in points])
