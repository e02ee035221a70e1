// A reader and a writer that take turns by two semaphores, as in turns-by-semaphore.py.
import { Process, parentProcess, Semaphore, Value } from 'crossmem'

type Turns = [empty: Semaphore, full: Semaphore, slot: Value<'int32'>]

/** Waits for the permit, which the other process makes anew. */
const turn = async (semaphore: Semaphore): Promise<void> => (await semaphore.acquire()).consume()

export const write = async (...[empty, full, slot]: Turns): Promise<void> => {
  for (let number = 0; number < 5; number++) {
    await turn(empty)
    slot.value = number ** 2
    full.release()
  }
}

export const read = async (...[empty, full, slot]: Turns): Promise<void> => {
  for (let i = 0; i < 5; i++) {
    await turn(full)
    console.log(`read ${slot.value}`)
    empty.release()
  }
}

async function main(): Promise<void> {
  using empty = Semaphore.create(null, 1)
  using full = Semaphore.create(null, 0)
  using slot = Value.create(null, 'i')
  const args: Turns = [empty, full, slot]
  const children = ['write', 'read'].map(run => Process.start(__filename, { run, args }))
  for (const p of children) await p.join()
}

if (!parentProcess()) void main()
