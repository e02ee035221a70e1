import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Event, Mutex, open, Semaphore, SharedMemory, Value } from 'crossmem'
import { type Contender, type Effort, each, inTurn, nanoseconds, rowsOf } from '../harness/measure.js'
import { root } from '../harness/root.js'
import type { Section } from '../harness/section.js'
import { uniqueName } from '../harness/temporary.js'

/** As many as a domain may have, but for some. */
const OBJECTS = 65_000
const SHM = '/dev/shm'
const LS = 'crossmem ls'

type Maker = (name: string) => { close(): void; toJSON(): { crossmem: string; name: string } }

const MAKERS: Maker[] = [
  (name: string) => Mutex.create(name, { persist: true }),
  (name: string) => Event.create(name, { persist: true }),
  (name: string) => Semaphore.create(name, 1, { persist: true }),
  (name: string) => Value.create(name, 'float64', 0, { persist: true }),
  (name: string) => SharedMemory.create(name, 64, { persist: true }),
]

/** What the command line takes in a domain that is full. */
export async function onlookers(effort: Effort): Promise<Section> {
  const count = effort.quick ? 500 : OBJECTS
  const prefix = uniqueName()
  const references: { crossmem: string; name: string }[] = []
  try {
    for (let i = 0; i < count; i++) {
      const handle = (MAKERS[i % MAKERS.length] as Maker)(`${prefix}-${i}`)
      references.push(handle.toJSON())
      // They persist: a process can't have so many mapped.
      handle.close()
    }

    const contenders = [...commands(prefix), ...floor(prefix)]
    return {
      id: 'onlookers',
      title: `Looking at a domain with ${count.toLocaleString('en')} objects`,
      intro:
        'A fifth of the objects each are mutexes, events, semaphores, values and plain memory. Each run is a process of its own, ' +
        'so its time has the start of Node in it. What it prints is thrown away.',
      tables: [
        { title: 'One run', baseline: LS, rows: rowsOf(await inTurn(contenders, effort, { slices: 1 })) },
      ],
      targets: [],
      better: [],
      missing: existsSync(SHM) ? [] : ['reading each file: this system has no /dev/shm'],
    }
  } finally {
    for (const reference of references) {
      const handle = open(reference)
      handle.unlink()
      handle.close()
    }
  }
}

function commands(prefix: string): Contender[] {
  const main = join(root, 'dist', 'cli', 'main.js')
  const first = `${prefix}-0`
  const command = (does: string, ...args: string[]): Contender => ({
    name: `crossmem ${args.join(' ').replace(first, 'NAME')}`,
    does,
    slice: running(main, ...args),
  })
  return [
    command('lists all, with the state of each', 'ls'),
    command('the same as JSON', 'ls', '--json'),
    command('looks twice, and shows what has changed', 'top', '--once', '--interval', '0.01'),
    command('shows one of them', 'inspect', first),
    command('checks all, without their states', 'doctor'),
  ]
}

/** What each of the commands but `doctor` and `inspect` does at the least, in plain Node. */
function floor(prefix: string): Contender[] {
  if (!existsSync(SHM)) return []
  const program = `const fs = require('node:fs')
const bytes = Buffer.alloc(4096)
for (const name of fs.readdirSync('${SHM}')) {
  if (!name.startsWith('${prefix}')) continue
  const file = fs.openSync('${SHM}/' + name)
  fs.readSync(file, bytes)
  fs.closeSync(file)
}`
  const does = 'opens each file, reads its first 4 KiB and closes it, in a process of plain Node'
  return [{ name: 'each file read', does, slice: running('-e', program) }]
}

const running = (...args: string[]): Contender['slice'] =>
  each(() => {
    const start = nanoseconds()
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
    return nanoseconds() - start
  }, 1)
