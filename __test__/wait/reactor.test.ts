import '../helpers/domain.js'
import { closeSync, constants, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import ava, { type ExecutionContext } from 'ava'
import { gc, Queue } from 'crossmem'
import { gone, kill, message, start } from '../processes/children.js'
import { places } from '../processes/hire.js'

const test = process.platform === 'linux' ? ava.serial : ava.serial.skip
const SHM = '/dev/shm'

/** The FIFOs of this test's domain, by which event loops are woken. */
const fifos = (): string[] =>
  readdirSync(SHM).filter(name => name.includes(`-${process.env.CROSSMEM_DOMAIN}~f`))

/** A child that adds 1 to each number, and a call that has it do so. */
function startEcho(t: ExecutionContext, place: string) {
  const requests = Queue.create<number>(null)
  const answers = Queue.create<number>(null)
  const child = start('wait/echo', requests.name, answers.name, place)
  t.teardown(async () => {
    await kill(child)
    requests.close()
    answers.close()
  })
  return {
    child,
    requests,
    async next(number: number): Promise<number> {
      await requests.put(number)
      return await answers.get()
    },
  }
}

for (const place of places) {
  test(`a ${place} that waits has one FIFO, which goes with it`, async t => {
    const echo = startEcho(t, place)
    // This process's own, and the child's, once it has waited.
    while (fifos().length < 2) t.is(await echo.next(1), 2)
    t.is(await echo.next(2), 3)
    t.is(fifos().length, 2)
    if (place === 'thread') {
      const terminated = message(echo.child)
      echo.child.send('terminate')
      t.is(await terminated, 'terminated')
    } else {
      echo.requests.end()
      await gone(echo.child)
    }
    t.is(fifos().length, 1)
  })

  test(`the FIFO of a ${place} that is killed goes with the next sweep`, async t => {
    const echo = startEcho(t, place)
    while (fifos().length < 2) t.is(await echo.next(1), 2)
    await kill(echo.child)
    gc()
    t.is(fifos().length, 1)
  })
}

test('a FIFO that is full wakes its process', async t => {
  const echo = startEcho(t, 'process')
  while (fifos().length < 2) t.is(await echo.next(1), 2)
  echo.child.kill('SIGSTOP')
  for (const name of fifos()) {
    const fifo = openSync(join(SHM, name), constants.O_RDWR | constants.O_NONBLOCK)
    try {
      for (;;) writeSync(fifo, Buffer.alloc(4096))
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'EAGAIN')
    } finally {
      closeSync(fifo)
    }
  }
  const answers = [1, 2, 3].map(number => echo.next(number))
  echo.child.kill('SIGCONT')
  t.deepEqual(await Promise.all(answers), [2, 3, 4])
  t.is(await echo.next(7), 8)
})

test('a program that a waiting process starts inherits no descriptor of shared memory', async t => {
  const echo = startEcho(t, 'process')
  while (fifos().length < 2) t.is(await echo.next(1), 2)
  const descriptors = message<string[]>(echo.child)
  echo.child.send('which?')
  t.deepEqual(
    (await descriptors).filter(path => path.startsWith(SHM)),
    [],
  )
})

// Last: this process has no FIFO any more, either.
test('without its FIFO a waiting process hears of messages at its next tick', async t => {
  const echo = startEcho(t, 'process')
  while (fifos().length < 2) t.is(await echo.next(1), 2)
  for (const name of fifos()) unlinkSync(join(SHM, name))
  for (let number = 0; number < 10; number++) t.is(await echo.next(number), number + 1)
})
