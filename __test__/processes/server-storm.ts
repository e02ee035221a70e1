import type { RemoteConnection } from 'crossmem/redis'

/** How many clients of each kind one process has. */
export const CLIENTS = 10
export const PERMITS = 3

/** Each kind, used once. What goes wrong is thrown. */
export const deeds: Record<string, (far: RemoteConnection) => Promise<void>> = {
  async mutex(far) {
    await far.mutex('mutex').withLock(async ({ fence }) => {
      const last = far.value('last fence')
      const before = await last.exchange(fence)
      if (before >= fence) throw new Error(`fence ${fence} came behind ${before}`)
      const after = await last.get()
      if (after !== fence) throw new Error(`two holders: ${fence} and ${after}`)
    })
  },

  async rwLock(far) {
    const lock = far.rwLock('rw')
    const [a, b] = [far.value('a'), far.value('b')]
    await lock.withRead(async ({ ownerDied }) => {
      const [first, second] = [await a.get(), await b.get()]
      if (first !== second && !ownerDied) throw new Error(`a reader saw ${first} and ${second}`)
    })
    await lock.withWrite(async guard => {
      const next = (await a.get()) + 1
      await a.set(next)
      await b.set(next)
      if (guard.ownerDied) await guard.markConsistent()
    })
  },

  async semaphore(far) {
    await far.semaphore('permits', PERMITS, { max: PERMITS }).withPermit(() => undefined)
  },

  async event(far) {
    const event = far.event('event', { autoReset: true })
    await Promise.all([event.wait(), event.set()])
  },

  async condition(far) {
    const condition = far.condition('condition')
    await condition.withLock(() => condition.notify())
    await condition.withLock(() => condition.wait({ timeout: 1 }).catch(ignoreTimeout))
  },

  async value(far) {
    await far.value('sum', 'int32').add(1)
  },

  /** A message is noted before it is released, so none is lost; one may be noted twice. */
  async queue(far) {
    const message = await far.queue<number>('jobs', { redeliver: true }).receive()
    await far.queue('done', { capacity: 1_000_000 }).put(message.value)
    await message.release()
  },

  async joinableQueue(far) {
    const tasks = far.joinableQueue('tasks')
    await tasks.put(1)
    await tasks.get()
    await tasks.taskDone()
  },
}

function ignoreTimeout(error: unknown): void {
  if ((error as { code?: string }).code !== 'ERR_TIMEOUT') throw error
}
