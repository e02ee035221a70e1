// A list that two processes fill, without and with a lock, as in list-of-two.py. A process owns the
// list, and the others send it what to append.
import { Mutex, Process, parentProcess, Queue } from 'crossmem'

export const own = async (added: Queue<string>): Promise<string[]> => {
  const words: string[] = []
  for await (const word of added) words.push(word)
  return words
}

export const append = async (added: Queue<string>, lock: Mutex | null, name: string): Promise<void> => {
  using _held = await lock?.lock()
  for (let i = 0; i < 3; i++) await added.put(`${name}${i}`)
}

async function fill(lock: Mutex | null): Promise<string[]> {
  using added = Queue.create<string>(null)
  const owner = Process.start(__filename, { run: 'own', args: [added] })
  const start = (name: string) => Process.start(__filename, { run: 'append', args: [added, lock, name] })
  for (const p of ['a', 'b'].map(start)) await p.join()
  added.end()
  return owner.result as Promise<string[]>
}

async function main(): Promise<void> {
  console.log('in any order:', ...(await fill(null)).toSorted())
  using lock = Mutex.create(null)
  const words = await fill(lock)
  console.log('in turns:', ...(words[0] === 'a0' ? words : [...words.slice(3), ...words.slice(0, 3)]))
}

if (!parentProcess()) void main()
