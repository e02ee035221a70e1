import signal
import time
from multiprocessing import Event, Process


def wait(started):
    started.set()
    time.sleep(1000)


if __name__ == '__main__':
    started = Event()
    p = Process(target=wait, args=(started,))
    p.start()
    started.wait()
    print('alive' if p.is_alive() else 'gone')
    p.terminate()
    p.join()
    print('alive' if p.is_alive() else 'gone')
    print(signal.Signals(-p.exitcode).name)
