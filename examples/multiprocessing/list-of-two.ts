// A list that two processes fill, without and with a lock, as in list-of-two.py.
import { Mutex, Process, parentProcess } from 'crossmem'
import { type ManagedList, Manager } from 'crossmem/manager'

export const append = async (words: ManagedList<string>, lock: Mutex | null, name: string): Promise<void> => {
  using _held = await lock?.lock()
  for (let i = 0; i < 3; i++) await words.push(`${name}${i}`)
}

async function fill(words: ManagedList<string>, lock: Mutex | null): Promise<string[]> {
  const children = ['a', 'b'].map(name =>
    Process.start(__filename, { run: 'append', args: [words, lock, name] }),
  )
  for (const p of children) await p.join()
  return words.toArray()
}

async function main(): Promise<void> {
  await using manager = await Manager.start()
  console.log('in any order:', ...(await fill(await manager.list<string>(), null)).toSorted())
  using lock = Mutex.create(null)
  const words = await fill(await manager.list<string>(), lock)
  console.log('in turns:', ...(words[0] === 'a0' ? words : [...words.slice(3), ...words.slice(0, 3)]))
}

if (!parentProcess()) void main()
