// A process that makes parts and one that takes them, by a queue of a manager, as in
// producer-and-consumer.py.
import { Process, parentProcess } from 'crossmem'
import { type ManagedList, type ManagedQueue, Manager } from 'crossmem/manager'

type Parts = ManagedQueue<string>

export async function produce(queue: Parts, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await queue.put(`part ${i}`)
  await queue.end()
}

export async function consume(queue: Parts, done: ManagedList<string>): Promise<void> {
  for await (const part of queue) await done.push(part)
}

async function main(): Promise<void> {
  await using manager = await Manager.start()
  const queue: Parts = await manager.queue({ capacity: 2 })
  const done = await manager.list<string>()
  const children = [
    Process.start(__filename, { run: 'produce', args: [queue, 5] }),
    Process.start(__filename, { run: 'consume', args: [queue, done] }),
  ]
  for (const p of children) await p.join()
  console.log((await done.toArray()).join(', '))
}

if (!parentProcess()) void main()
