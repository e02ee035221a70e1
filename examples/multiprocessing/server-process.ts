// A dict and a list in a process of their own, which another process changes, as in
// server-process.py.
import { Process, parentProcess } from 'crossmem'
import { type ManagedDict, type ManagedList, Manager } from 'crossmem/manager'

type Words = ManagedDict<unknown, string>

export async function change(words: Words, numbers: ManagedList<number>): Promise<void> {
  await words.set(1, 'one')
  await words.set('2', 'two')
  await words.set(0.25, 'a quarter')
  await numbers.reverse()
}

async function main(): Promise<void> {
  await using manager = await Manager.start()
  const words: Words = await manager.dict()
  const numbers = await manager.list(Array(10).keys())
  const p = Process.start(__filename, { run: 'change', args: [words, numbers] })
  await p.join()
  for await (const [key, value] of words) console.log(key, value)
  console.log(...(await numbers.toArray()))
}

if (!parentProcess()) void main()
