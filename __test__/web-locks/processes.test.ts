import '../helpers/domain.js'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ava, { type ExecutionContext } from 'ava'
import { CrossmemError, type LockInfo, locks } from 'crossmem'
import type { NamedLockOrders } from '../fixtures/web-locks/obey-named-locks.js'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { type Hired, hire, type Place, places } from '../processes/hire.js'

// Named locks between processes and worker threads, some of which die.

const test = ava.serial

const of = (list: LockInfo[], name: string): string[] =>
  list.filter(lock => lock.name === name).map(lock => lock.clientId)

const isAvailable = (name: string): Promise<boolean> =>
  locks.request(name, { ifAvailable: true }, lock => lock !== null)

const recovered = (name: string): Promise<boolean | undefined> => locks.request(name, lock => lock?.recovered)

type Client = Hired<NamedLockOrders>

const startAs = (as: Place): Promise<Client> => hire('web-locks/obey-named-locks', { as })
const startProcess = (): Promise<Client> => startAs('process')

/** Requests a lock there; resolves when it was granted, with the number by which to release it. */
async function hold(
  client: Client,
  name: string,
  options?: { mode?: 'shared' | 'exclusive'; steal?: boolean },
): Promise<{ id: number; recovered: boolean }> {
  const outcome = await client.tell({ do: 'request', name, options })
  if ('id' in outcome) return outcome
  throw new Error(`"${name}" was not granted: ${JSON.stringify(outcome)}`)
}

/** Runs a test with other processes, and with worker threads. */
function withEither(title: string, run: (t: ExecutionContext, start: () => Promise<Client>) => unknown) {
  for (const place of places) {
    test(`${title} (${place})`, async t => {
      await run(t, async () => {
        const client = await startAs(place)
        t.teardown(() => client.kill())
        return client
      })
    })
  }
}

withEither('a lock is held by one at a time, and released for the next', async (t, start) => {
  const name = unique('l')
  const [a, b] = await Promise.all([start(), start()])
  const { id } = await hold(a, name)
  let isGranted = false
  const mine = locks.request(name, () => {
    isGranted = true
  })
  const theirs = hold(b, name)
  t.deepEqual(await b.tell({ do: 'request', name, options: { ifAvailable: true } }), { failed: true })
  t.false(await isAvailable(name))
  t.false(isGranted)
  t.is(await a.tell({ do: 'release', id }), 'released')
  await mine
  t.true(isGranted)
  t.false((await theirs).recovered)
})

withEither('shared locks are held together', async (t, start) => {
  const name = unique('l')
  const other = await start()
  const { id } = await hold(other, name, { mode: 'shared' })
  await locks.request(name, { mode: 'shared' }, () => other.tell({ do: 'release', id }))
  t.true(await isAvailable(name))
})

withEither('a request is aborted there, and the next goes on here', async (t, start) => {
  const name = unique('l')
  const other = await start()
  const { id } = await hold(other, name)
  const outcome = other.tell({ do: 'request', name, abortAtOnce: true })
  const mine = locks.request(name, () => 'granted')
  t.deepEqual(await outcome, { error: 'AbortError' })
  await other.tell({ do: 'release', id })
  t.is(await mine, 'granted')
})

withEither('the next holder hears that the one before died', async (t, start) => {
  const name = unique('l')
  const other = await start()
  await hold(other, name)
  const waits = [recovered(name), recovered(name)]
  t.is(of((await locks.query()).held, name).length, 1)
  await other.kill()
  t.deepEqual(await Promise.all(waits), [true, false])
  t.is(await recovered(name), false)
})

withEither(
  'the next holder hears of the death also if it asks later, with ifAvailable or by stealing',
  async (t, start) => {
    for (const options of [{}, { ifAvailable: true }, { steal: true }]) {
      const name = unique('l')
      const other = await start()
      await hold(other, name)
      await other.kill()
      t.deepEqual(of((await locks.query()).held, name), [])
      t.is(await locks.request(name, options, lock => lock?.recovered), true)
      t.is(await recovered(name), false)
    }
  },
)

withEither('a shared lock of a dead holder is gone, and the others keep theirs', async (t, start) => {
  const name = unique('l')
  const [a, b] = await Promise.all([start(), start()])
  await hold(a, name, { mode: 'shared' })
  const { id } = await hold(b, name, { mode: 'shared' })
  const mine = recovered(name)
  await a.kill()
  t.false(await isAvailable(name))
  t.is(of((await locks.query()).held, name).length, 1)
  await b.tell({ do: 'release', id })
  t.is(await mine, true)
})

withEither('a waiter that dies is forgotten', async (t, start) => {
  const name = unique('l')
  const [a, b] = await Promise.all([start(), start()])
  const { id } = await hold(a, name)
  const waits = b.tell({ do: 'request', name })
  while (of((await locks.query()).pending, name).length === 0) await new Promise(setImmediate)
  const mine = recovered(name)
  await b.kill()
  await a.tell({ do: 'release', id })
  t.is(await mine, false)
  await t.throwsAsync(waits, { message: /the program ended/ })
})

withEither('a holder whose lock is stolen is told, and a thief that dies is no holder', async (t, start) => {
  const name = unique('l')
  const [victim, thief] = await Promise.all([start(), start()])
  const { id } = await hold(victim, name)
  const lost = locks.request(name, () => new Promise(() => {}))
  await hold(thief, name, { steal: true })
  t.is(await victim.tell({ do: 'release', id }), 'AbortError')
  await thief.kill()
  while (of((await locks.query()).held, name).length === 0) await new Promise(setImmediate)
  const second = await start()
  await hold(second, name, { steal: true })
  await t.throwsAsync(lost, { any: true, name: 'AbortError' })
})

withEither('client ids are the same for everyone, and one for each', async (t, start) => {
  const [name, mine] = [unique('l'), unique('l')]
  const others = await Promise.all([start(), start()])
  const ids = await Promise.all(others.map(other => other.tell({ do: 'clientId', name: unique('l') })))
  const waits = others.map(async (other, i) => {
    if (i > 0) return
    await hold(other, name)
  })
  await Promise.all(waits)
  await locks.request(mine, async () => {
    const here = await locks.query()
    const there = await others[1]?.tell({ do: 'query' })
    t.deepEqual(there, here)
    t.deepEqual(of(here.held, name), [ids[0]])
    const [own = ''] = of(here.held, mine)
    t.is(new Set([own, ...ids]).size, 3)
  })
})

withEither('requests are shown in the order in which they were made', async (t, start) => {
  const name = unique('l')
  const clients = await Promise.all([start(), start(), start()])
  const ids = await Promise.all(clients.map(client => client.tell({ do: 'clientId', name: unique('l') })))
  const order = [0, 1, 2, 2, 0, 1]
  await locks.request(name, async () => {
    for (const [i, n] of order.entries()) {
      const client = clients[n] as Client
      void client.tell({ do: 'request', name })
      // What it is told next it does after that.
      await client.tell({ do: 'query' })
      t.is(of((await locks.query()).pending, name).length, i + 1)
    }
    t.deepEqual(
      of((await locks.query()).pending, name),
      order.map(n => ids[n]),
    )
  })
})

withEither('a deadlock can be seen', async (t, start) => {
  const [one, two] = [unique('l'), unique('l')]
  const other = await start()
  await hold(other, one)
  const aborting = new AbortController()
  let release = (): void => undefined
  const until = new Promise<void>(resolve => {
    release = resolve
  })
  const held = locks.request(two, () => until)
  void other.tell({ do: 'request', name: two })
  t.deepEqual(await other.tell({ do: 'request', name: two, options: { ifAvailable: true } }), {
    failed: true,
  })
  const waits = locks.request(one, { signal: aborting.signal }, () => t.fail('it is not called'))
  const { held: holders, pending } = await locks.query()
  t.deepEqual([of(holders, one), of(holders, two)], [of(pending, two), of(pending, one)])
  aborting.abort()
  await t.throwsAsync(waits, { any: true, name: 'AbortError' })
  release()
  await held
})

test('ending in the middle of a callback counts as death, however it ends', async t => {
  for (const order of [{ do: 'exit' }, { do: 'throw' }] as const) {
    const name = unique('l')
    const other = await startProcess()
    await hold(other, name)
    const mine = recovered(name)
    void other.tell(order)
    await other.gone()
    t.is(await mine, true)
  }
})

test('a stopped holder is alive', async t => {
  if (process.platform === 'win32') return t.pass()
  const name = unique('l')
  const other = await startProcess()
  t.teardown(() => other.kill())
  const { id } = await hold(other, name)
  other.signal('SIGSTOP')
  t.false(await isAvailable(name))
  const mine = recovered(name)
  other.signal('SIGCONT')
  await other.tell({ do: 'release', id })
  t.is(await mine, false)
})

test('processes work under a lock one after the other', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const counter = join(folder, 'counter')
  writeFileSync(counter, '0')
  const name = unique('l')
  const clients = await Promise.all([startProcess(), startProcess(), startAs('thread'), startAs('thread')])
  await Promise.all(clients.map(client => client.tell({ do: 'countUp', name, times: 100, counter })))
  t.is(readFileSync(counter, 'utf8'), '400')
  await Promise.all(clients.map(client => client.leave()))
})

test('4,096 requests at once, of several processes, for one name and for many', async t => {
  const clients = await Promise.all([startProcess(), startProcess(), startProcess(), startProcess()])
  const [one, many] = [unique('l'), Array.from({ length: 1024 }, () => unique('l'))]
  for (const names of [many.map(() => one), many]) {
    let release = (): void => undefined
    const until = new Promise<void>(resolve => {
      release = resolve
    })
    // No request is granted before all were made.
    const mine = [...new Set(names)].map(name => locks.request(name, () => until))
    const answers = clients.map(client => client.tell({ do: 'requestMany', names }))
    while ((await locks.query()).pending.length < 4096) await new Promise(setImmediate)
    release()
    await Promise.all(mine)
    for (const answer of await Promise.all(answers)) t.deepEqual(answer, { granted: 1024, failed: [] })
  }
  t.deepEqual(await locks.query(), { held: [], pending: [] })
  await Promise.all(clients.map(client => client.kill()))
})

test('more requests than there is room for are refused, and nothing else is lost', async t => {
  let release = (): void => undefined
  const until = new Promise<void>(resolve => {
    release = resolve
  })
  const names = Array.from({ length: 10_000 }, (_, i) => `crowd-${i}`)
  const requests = names.map(name => locks.request(name, () => until.then(() => name)))
  const { held } = await locks.query()
  t.true(held.length >= 4096)
  const other = await startProcess()
  t.teardown(() => other.kill())
  t.deepEqual(await other.tell({ do: 'request', name: names[0] as string, options: { ifAvailable: true } }), {
    failed: true,
  })
  t.deepEqual(await other.tell({ do: 'request', name: 'one more' }), { error: 'ERR_LIMIT' })
  release()
  const settled = await Promise.allSettled(requests)
  const granted = settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
  t.deepEqual(
    granted,
    held.map(lock => lock.name),
  )
  for (const one of settled.slice(granted.length)) {
    const { reason } = one as PromiseRejectedResult
    t.true(reason instanceof CrossmemError)
    t.is(reason.code, 'ERR_LIMIT')
  }
  t.deepEqual(await locks.query(), { held: [], pending: [] })
  await hold(other, 'one more')
})

test('a process ends by itself though it holds a lock, and not while it waits for one', async t => {
  const name = unique('l')
  const program = fixture('web-locks/end-with-locks')
  const run = (): Promise<{ stdout: string }> => promisify(execFile)(process.execPath, [program, name])
  t.is((await run()).stdout, '1\nnull\n')
  t.is(await recovered(name), true)
  const waits = await locks.request(name, async () => {
    const ending = run()
    while (of((await locks.query()).pending, name).length === 0) await new Promise(setImmediate)
    return { ending }
  })
  t.is((await waits.ending).stdout, '1\nnull\n')
})

test('a process that comes after all have died is told, and the last one to leave leaves nothing', async t => {
  if (process.platform !== 'linux') return t.pass()
  const domain = unique('test')
  const before = process.env.CROSSMEM_DOMAIN
  process.env.CROSSMEM_DOMAIN = domain
  const tables = (): number =>
    readdirSync('/dev/shm').filter(file => file.startsWith('crossmem-locks-')).length
  try {
    const there = tables()
    const [first, second] = await Promise.all([startProcess(), startProcess()])
    await Promise.all([hold(first, 'a'), hold(second, 'b')])
    await first.kill()
    await second.kill()
    const third = await startProcess()
    const granted = await Promise.all([hold(third, 'a'), hold(third, 'b'), hold(third, 'c')])
    t.deepEqual(
      granted.map(lock => lock.recovered),
      [true, true, false],
    )
    await third.leave()
    t.is(tables(), there)
    t.deepEqual(
      readdirSync('/dev/shm').filter(file => file.includes(domain)),
      [],
    )
  } finally {
    process.env.CROSSMEM_DOMAIN = before
  }
})
