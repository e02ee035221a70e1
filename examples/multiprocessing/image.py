from multiprocessing import Process
from multiprocessing.shared_memory import SharedMemory

import numpy as np


def show(name):
    memory = SharedMemory(name=name)
    image = np.ndarray((100, 100), np.uint8, memory.buf)
    print(image.shape, image.dtype, image.sum())
    print(image)
    del image
    memory.close()


if __name__ == '__main__':
    memory = SharedMemory(create=True, size=100 * 100)
    image = np.ndarray((100, 100), np.uint8, memory.buf)
    image[:] = np.arange(100 * 100).reshape(100, 100) % 251
    p = Process(target=show, args=(memory.name,))
    p.start()
    p.join()
    del image
    memory.close()
    memory.unlink()
