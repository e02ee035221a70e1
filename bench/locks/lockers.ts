import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Order, openAll } from './locker.js'

/** Processes that use the same locks, and what this one has of them. */
export interface Lockers extends AsyncDisposable {
  children: ChildProcess[]
  objects: ReturnType<typeof openAll>
}

export async function startLockers(count: number): Promise<Lockers> {
  const name = `bench-${randomBytes(6).toString('hex')}`
  const objects = openAll(name)
  const children = await Promise.all(Array.from({ length: count }, () => startLocker(name)))
  return {
    children,
    objects,
    async [Symbol.asyncDispose]() {
      const gone = children.map(child => once(child, 'exit'))
      for (const child of children) child.disconnect()
      await Promise.all(gone)
      objects.close()
    },
  }
}

async function startLocker(name: string): Promise<ChildProcess> {
  const child = fork(join(__dirname, 'locker.js'), [name])
  child.on('exit', (code, signal) => {
    if (code !== 0) throw new Error(`a locker ended with ${code ?? signal}`)
  })
  await once(child, 'message')
  return child
}

/** Tells a locker what to do; its answer. */
export async function told<Answer>(child: ChildProcess, order: Order): Promise<Answer> {
  const coming = once(child, 'message') as Promise<[Answer]>
  child.send(order)
  const [answer] = await coming
  return answer
}
