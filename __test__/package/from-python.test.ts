import '../helpers/domain.js'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ava from 'ava'
import { list } from 'crossmem'
import { runExample } from '../helpers/examples.js'
import { root } from '../helpers/paths.js'
import { pythonVersionTest } from '../helpers/python.js'

const exec = promisify(execFile)
const page = readFileSync(join(root, 'docs', 'from-python.md'), 'utf8')

/** A row of a table: what Python has, an expression, and what it is. */
interface Row {
  names: string[]
  expression: string
  is: string
}

interface Section {
  heading: string
  /** The code above the table. */
  setting: string
  rows: Row[]
  /** What its prose and the first column of its table name. */
  named: Set<string>
}

const spans = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

const sections: Section[] = page
  .split(/^## /m)
  .slice(1)
  .map(text => {
    const [heading = ''] = text.split('\n')
    const [, setting = ''] = /^```js\n(.*?)^```$/ms.exec(text) ?? []
    const rows = [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) => {
      const [python = '', here = '', is = ''] = row.split(' | ')
      return { names: spans(python), expression: spans(here)[0] ?? '', is: spans(is)[0] ?? '' }
    })
    const prose = text.replace(/^```.*?^```$/gms, '').replace(/^\|.*$/gm, '')
    return {
      heading,
      setting,
      rows,
      named: new Set([...rows.flatMap(({ names }) => names), ...spans(prose)]),
    }
  })

for (const { heading, setting, rows } of sections) {
  const tried = rows.filter(({ expression }) => expression !== '')
  if (tried.length === 0) continue
  ava.serial(`each row of "${heading}" is what it says`, async t => {
    const lines = tried.map(({ expression }) => `console.log(await (async () => (${expression}))())`)
    const program = [
      `import { parentProcess as parentOfAll } from 'crossmem'`,
      setting,
      'if (!parentOfAll()) {',
      ...lines.flatMap(line => [line, `console.log('———')`]),
      '}',
    ]
    const printed = (await runExample(program.join('\n'))).split('———\n').slice(0, -1)
    t.deepEqual(
      printed.map((text, i) => `${tried[i]?.names[0]}: ${text.trimEnd()}`),
      tried.map(({ names, is }) => `${names[0]}: ${is}`),
    )
    t.deepEqual(list(), [])
  })
}

/** Prints the public names of each module and class, as a JSON object of lists. */
const LISTED = `
import importlib, json, pkgutil, multiprocessing as mp
from multiprocessing import connection, managers, pool, shared_memory

def public(thing):
    return [name for name in dir(thing) if not name.startswith('_')]

names = {}
modules = [m.name for m in pkgutil.iter_modules(mp.__path__) if m.name not in ('popen_spawn_win32', 'context')]
for module in ['', *modules, 'dummy.connection']:
    found = importlib.import_module('multiprocessing' + ('.' + module if module else ''))
    names[module] = [n for n in getattr(found, '__all__', public(found)) if not n.startswith('_')]
    if not hasattr(found, '__all__'):
        names[module] = [n for n in names[module] if getattr(getattr(found, n), '__module__', None) == found.__name__]
ours, theirs = mp.Pipe()
memory = shared_memory.SharedMemory(create=True, size=1)
listed = shared_memory.ShareableList([1])
things = {
    'Process': mp.Process(), 'Queue': mp.JoinableQueue(), 'Connection': ours, 'Lock': mp.Lock(), 'RLock': mp.RLock(),
    'Semaphore': mp.Semaphore(), 'BoundedSemaphore': mp.BoundedSemaphore(), 'Condition': mp.Condition(),
    'Event': mp.Event(), 'Barrier': mp.Barrier(1), 'Value': mp.Value('i'), 'Array': mp.Array('i', 1),
    'Listener': connection.Listener, 'Pool': pool.Pool, 'AsyncResult': pool.AsyncResult, 'SharedMemory': memory, 'ShareableList': listed,
}
classes = {name: public(thing) for name, thing in things.items()}
inherited = classes['BaseManager'] = public(managers.BaseManager)
for manager in (managers.SyncManager, managers.SharedMemoryManager):
    classes[manager.__name__] = [name for name in public(manager) if name not in inherited]
memory.unlink()
listed.shm.unlink()
print(json.dumps([names, classes]))
`

/** The section in which a module or a class has its names without a prefix. */
const homes: Record<string, string> = {
  '': 'multiprocessing',
  queues: 'multiprocessing.Queue',
  process: 'multiprocessing.Process',
  'dummy.connection': 'multiprocessing.dummy',
}

pythonVersionTest('3.13', 'docs/from-python.md has all public names of multiprocessing', async (t, path) => {
  const { stdout } = await exec(path, ['-c', LISTED])
  const [modules, classes] = JSON.parse(stdout) as Record<string, string[]>[]
  const all = new Set(sections.flatMap(({ named }) => [...named]))
  const missing = (owner: string, names: string[]): string[] => {
    const home = sections.find(({ heading }) => heading === (homes[owner] ?? `multiprocessing.${owner}`))
    return names.filter(name => !home?.named.has(name) && !all.has(`${owner}.${name}`))
  }
  for (const [owner, names] of Object.entries({ ...modules, ...classes })) {
    t.deepEqual(missing(owner, names), [], owner)
  }
  t.true(Object.values(modules as object).flat().length > 100)
})
