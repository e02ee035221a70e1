import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { startChild } from '../harness/child.js'
import { uniqueName } from '../harness/temporary.js'
import { type Answers, type Order, openAll } from './locker.js'

/** Child processes that use the same locks, and this process's handles of these locks. */
export interface Lockers extends AsyncDisposable {
  children: ChildProcess[]
  objects: ReturnType<typeof openAll>
}

export async function startLockers(count: number): Promise<Lockers> {
  const name = uniqueName()
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
  const child = startChild(join(__dirname, 'locker.js'), [name])
  await once(child, 'message')
  return child
}

/** Gives an order to a locker, and returns the answer. */
export async function told<Kind extends Order['kind']>(
  child: ChildProcess,
  order: Order & { kind: Kind },
): Promise<Answers[Kind]> {
  const coming = once(child, 'message') as Promise<[Answers[Kind]]>
  child.send(order)
  const [answer] = await coming
  return answer
}
