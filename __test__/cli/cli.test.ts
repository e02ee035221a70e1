import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import ava, { type ExecutionContext } from 'ava'
import { unique } from '../helpers/domain.js'
import { fixture, root } from '../helpers/paths.js'
import { gone, kill, message, start } from '../processes/children.js'
import { lockProcess } from '../processes/lock-clients.js'
import { type Peer, peer } from '../processes/obey.js'

// One after the other: they show what the whole domain has. This process itself joins no domain, since joining sweeps.
const test = ava.serial
const testOnLinux = process.platform === 'linux' ? test : test.skip
const main = join(root, 'dist', 'cli', 'main.js')
const domain = process.env.CROSSMEM_DOMAIN as string
const file = (name: string): string => `/dev/shm/${name}`

interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** Runs the real command line. */
const crossmem = (...args: string[]): Promise<Ran> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr })
    })
  })

interface Agent {
  pid: number
  thread: number
  alive: boolean
}
interface Listed {
  name: string
  attached: Agent[]
  doomed: boolean
  present: boolean
}
interface Diagnosis {
  control: { name: string; byteLength: number } | null
  registryHeldBy: number | null
  agents: Agent[]
  objects: Listed[]
  sweepable: { agents: number; objects: number; bytes: number }
  problems: { code: string; message: string }[]
  clean: boolean
}

/** Runs it with --json: its exit code, and what it printed. */
async function json<T = Record<string, unknown>>(...args: string[]): Promise<{ code: number; data: T }> {
  const { code, stdout } = await crossmem(...args, '--json')
  return { code, data: JSON.parse(stdout) as T }
}

/** The errors that --json prints, one a line. */
const errorsIn = ({ stderr }: Ran): { code: string; message: string }[] =>
  stderr
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as { error: { code: string; message: string } }).error)

/** The children of the test that runs now. */
const children: ChildProcess[] = []

/** A child that does what it is told, and is not forgotten if the test fails. */
async function user(): Promise<Peer> {
  const started = await peer()
  children.push(started.child)
  return started
}

/** A child that holds a new object. */
async function hold(name: string, layout: object, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const before = process.env.CROSSMEM_DOMAIN
  Object.assign(process.env, env)
  const child = start('objects/hold-object', name, JSON.stringify(layout))
  process.env.CROSSMEM_DOMAIN = before
  children.push(child)
  await message(child)
  return child
}

async function leave(child: ChildProcess): Promise<void> {
  child.disconnect()
  await gone(child)
}

/** What stands in the columns of a line: they are two blanks apart or more. */
const cells = (line: string): string[] => line.split(/ {2,}/)

const isClean = async (t: ExecutionContext): Promise<void> => {
  const { code, stdout, stderr } = await crossmem('doctor')
  t.is(stdout.trimEnd().split('\n').at(-1), 'clean')
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
}

test.afterEach.always('nothing is left over', async t => {
  const alive = children.splice(0).filter(child => child.exitCode === null && child.signalCode === null)
  if (!t.passed) {
    // One failure is enough: the next test shall find the domain empty.
    await Promise.all(alive.map(kill))
    const { data } = await json<{ objects: Listed[] }>('ls')
    for (const { name } of data.objects) await crossmem('rm', name)
    return
  }
  t.is(alive.length, 0)
  const { data } = await json<Diagnosis>('doctor')
  t.deepEqual({ control: data.control, objects: data.objects }, { control: null, objects: [] })
})

test('help and version go to stdout', async t => {
  for (const args of [['--help'], ['-h']]) {
    const { code, stdout, stderr } = await crossmem(...args)
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    t.regex(stdout, /^Usage: crossmem COMMAND/)
    for (const told of [
      'ls',
      'inspect NAME',
      'rm NAME...',
      'gc',
      'doctor',
      '--domain NAME',
      '--json',
      'Exit codes',
    ])
      t.true(stdout.includes(told), told)
  }
  for (const command of ['ls', 'inspect', 'rm', 'gc', 'doctor']) {
    for (const args of [
      [command, '--help'],
      ['-h', command],
    ]) {
      const { code, stdout } = await crossmem(...args)
      t.is(code, 0)
      t.true(stdout.startsWith(`Usage: crossmem ${command}`), stdout)
      t.regex(stdout, /--json: \{ domain/)
      t.regex(stdout, /Exit codes/)
    }
  }
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  t.is((await crossmem('--version')).stdout, `${manifest.version}\n`)
})

test('wrong usage is exit code 2, and says what is wrong', async t => {
  const wrong: [string[], RegExp][] = [
    [[], /a command is missing/],
    [['list'], /no command "list"/],
    [['toString'], /no command "toString"/],
    [['list', '--help'], /no command "list"/],
    [['ls', 'a'], /ls takes no names/],
    [['gc', 'a'], /gc takes no names/],
    [['doctor', 'a'], /doctor takes no names/],
    [['inspect'], /inspect needs a NAME/],
    [['inspect', 'a', 'b'], /inspect takes one NAME/],
    [['rm'], /rm needs a NAME/],
    [['ls', '--all'], /'--all'/],
    [['ls', '--json=yes'], /--json/],
    [['ls', '--domain'], /--domain/],
    [['ls', '--domain='], /--domain needs a name/],
  ]
  for (const [args, reason] of wrong) {
    const ran = await crossmem(...args)
    t.deepEqual({ code: ran.code, stdout: ran.stdout }, { code: 2, stdout: '' }, args.join(' '))
    t.regex(ran.stderr, reason)
    t.regex(ran.stderr, /^crossmem: .* \(ERR_USAGE\)\nSee: crossmem --help\n$/s)
  }
  const ran = await crossmem('list', '--json')
  t.is(ran.code, 2)
  t.deepEqual(errorsIn(ran), [{ code: 'ERR_USAGE', message: 'there is no command "list"' }])
})

test('an empty domain is fine, and asking leaves no trace of it', async t => {
  t.deepEqual(await crossmem('ls'), { code: 0, stdout: `no objects in domain "${domain}"\n`, stderr: '' })
  t.deepEqual(await json('ls'), { code: 0, data: { domain, objects: [] } })
  t.deepEqual(await crossmem('gc'), {
    code: 0,
    stdout: `nothing to sweep in domain "${domain}"\n`,
    stderr: '',
  })
  t.deepEqual(await json('gc'), { code: 0, data: { domain, agents: 0, objects: 0, bytes: 0, names: [] } })
  await isClean(t)
  const { code, data } = await json<Diagnosis & { totalBytes: number; freeBytes: number }>('doctor')
  t.is(code, 0)
  t.true(data.totalBytes >= data.freeBytes && data.freeBytes > 0)
  t.like(data, {
    domain,
    control: null,
    registryHeldBy: null,
    agents: [],
    objects: [],
    sweepable: { agents: 0, objects: 0, bytes: 0 },
    problems: [],
    clean: true,
  })
})

test('what is not there is exit code 1', async t => {
  const name = unique('nothing')
  const inspected = await crossmem('inspect', name)
  t.deepEqual({ code: inspected.code, stdout: inspected.stdout }, { code: 1, stdout: '' })
  t.regex(inspected.stderr, /^crossmem: nothing is called "nothing-.* \(ERR_NOT_FOUND\)\n$/)
  const asJson = await crossmem('inspect', name, '--json')
  t.is(asJson.code, 1)
  t.is(errorsIn(asJson)[0]?.code, 'ERR_NOT_FOUND')

  const removed = await crossmem('rm', name)
  t.is(removed.code, 1)
  t.regex(removed.stderr, /^crossmem: nothing is called "nothing-.* \(ERR_NOT_FOUND\)\n$/)
})

test('names and domains that cannot be are exit code 1', async t => {
  for (const args of [
    ['inspect', 'a/b'],
    ['rm', 'a/b'],
    ['ls', '--domain', 'a/b'],
    ['doctor', '--domain', 'a b'],
  ]) {
    const ran = await crossmem(...args)
    t.is(ran.code, 1)
    t.regex(ran.stderr, /\(ERR_INVALID_NAME\)/)
    t.is(errorsIn(await crossmem(...args, '--json'))[0]?.code, 'ERR_INVALID_NAME')
  }
})

test('ls shows every object, and who has it open', async t => {
  const [array, bytes, wide, inWorker] = ['array', 'bytes', '冷蔵庫', 'worker'].map(unique) as [
    string,
    string,
    string,
    string,
  ]
  const holder = await hold(array, { shape: [1000, 1000], dtype: 'float64' })
  const other = await user()
  await other.tell({ do: 'open', reference: array })
  await leave(await hold(bytes, { byteLength: 512, persist: true }))
  const eastern = await hold(wide, { byteLength: 1024 * 1024 })
  const worker = new Worker(fixture('memory/hold-in-worker'), { workerData: inWorker })
  await once(worker, 'message')

  const { code, stdout, stderr } = await crossmem('ls')
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  t.deepEqual(lines.map(cells), [
    ['NAME', 'KIND', 'BYTES', 'PERSIST', 'ATTACHED'],
    [array, 'NDArray', '7.6 MiB', 'no', `${holder.pid}, ${other.child.pid}`],
    [bytes, 'SharedMemory', '512 B', 'yes', '-'],
    [inWorker, 'SharedMemory', '4.0 KiB', 'no', `${process.pid}/w${worker.threadId}`],
    [wide, 'SharedMemory', '1.0 MiB', 'no', String(eastern.pid)],
  ])
  // Each of the three characters takes two cells.
  const columns = lines.map(line => line.search(/KIND|NDArray|SharedMemory/))
  t.deepEqual(columns, [columns[0], columns[0], columns[0], columns[0], (columns[0] as number) - 3])
  const ends = lines.slice(0, 4).map(line => line.search(/(?<=BYTES|[KM]?i?B) /))
  t.is(new Set(ends).size, 1)

  const { data } = await json<{ objects: Listed[] }>('ls')
  t.deepEqual(
    data.objects.map(object => object.name),
    [array, bytes, inWorker, wide],
  )
  t.deepEqual(data.objects[1], {
    name: bytes,
    kind: 'SharedMemory',
    byteLength: 512,
    persist: true,
    attached: [],
    doomed: false,
    present: true,
  } as Listed)
  t.deepEqual(data.objects[2]?.attached, [{ pid: process.pid, thread: worker.threadId, alive: true }])
  await isClean(t)

  t.is((await crossmem('rm', bytes)).code, 0)
  await worker.terminate()
  await other.tell({ do: 'leave' }).catch(() => undefined)
  await gone(other.child)
  await Promise.all([holder, eastern].map(leave))
})

test('inspect shows all about one object', async t => {
  const [array, scalar, bytes] = ['array', 'scalar', 'bytes'].map(unique) as [string, string, string]
  const holders = [
    await hold(array, { shape: [2, 3, 4], dtype: 'int16', order: 'F' }),
    await hold(scalar, { shape: [] }),
    await hold(bytes, { byteLength: 1000 }),
  ]
  const pids = holders.map(child => child.pid)

  const shown = await crossmem('inspect', array)
  t.deepEqual({ code: shown.code, stderr: shown.stderr }, { code: 0, stderr: '' })
  t.deepEqual(shown.stdout.trimEnd().split('\n').map(cells), [
    ['name', array],
    ['kind', 'NDArray'],
    ['bytes', '8.0 KiB (8192)'],
    ['persist', 'no'],
    ['attached', String(pids[0])],
    ['dtype', 'int16'],
    ['shape', '[2, 3, 4]'],
    ['order', 'F'],
    ['strides', '[1, 2, 6]'],
    ['trailer', 'yes'],
    ['held', '-'],
  ])
  t.deepEqual(await json('inspect', array), {
    code: 0,
    data: {
      domain,
      name: array,
      kind: 'NDArray',
      byteLength: 8192,
      persist: false,
      attached: [{ pid: pids[0], thread: 0, alive: true }],
      doomed: false,
      present: true,
      foreign: false,
      holders: [],
      waiters: [],
      array: { dtype: 'int16', shape: [2, 3, 4], order: 'F', strides: [1, 2, 6], trailer: true },
      problem: null,
    },
  })

  t.like((await json('inspect', scalar)).data, {
    array: { dtype: 'float64', shape: [], order: 'C', strides: [], trailer: true },
  })
  const plain = await crossmem('inspect', bytes)
  t.deepEqual(plain.stdout.trimEnd().split('\n').map(cells), [
    ['name', bytes],
    ['kind', 'SharedMemory'],
    ['bytes', '1000 B'],
    ['persist', 'no'],
    ['attached', String(pids[2])],
  ])
  t.like((await json('inspect', bytes)).data, { array: null, foreign: false, byteLength: 1000 })
  await Promise.all(holders.map(leave))
})

test('inspect shows who holds a lock or permits, and who waits at a barrier', async t => {
  const [mutex, semaphore, barrier] = [unique('mutex'), unique('semaphore'), unique('barrier')]
  const holder = start('locks/hold-locks', mutex, semaphore, barrier)
  await message(holder)
  const one = { pid: holder.pid, thread: 0, alive: true, count: 1 }
  t.like((await json('inspect', mutex)).data, { kind: 'Mutex', holders: [one] })
  t.like((await json('inspect', semaphore)).data, { holders: [{ ...one, count: 2 }] })
  t.regex((await crossmem('inspect', mutex)).stdout, new RegExp(`^held +${holder.pid}$`, 'm'))
  t.regex((await crossmem('inspect', semaphore)).stdout, new RegExp(`^held +${holder.pid} x 2$`, 'm'))
  t.regex((await crossmem('inspect', barrier)).stdout, new RegExp(`^waiting +${holder.pid}$`, 'm'))
  holder.send('meet')
  await gone(holder)
})

interface Users {
  holders: (Agent & { count: number })[]
  waiters: (Agent & { count: number })[]
}

/** The processes that use an object, when so many wait at it. */
async function usersOf(name: string, waiting: number): Promise<Users> {
  for (;;) {
    const { data } = await json<Users>('inspect', name)
    if (data.waiters.length === waiting) return { holders: data.holders, waiters: data.waiters }
  }
}

const living = ({ pid }: ChildProcess, count: number) => ({ pid, thread: 0, alive: true, count })
const dead = (count: number) => ({ pid: 0, thread: 0, alive: false, count })

test('inspect shows who holds named locks, and who waits for one', async t => {
  const [holder, waiter] = [await lockProcess(), await lockProcess()]
  t.teardown(() => Promise.all([kill(holder.child), kill(waiter.child)]))
  await holder.hold('one')
  await holder.hold('two')
  const request = waiter.tell({ do: 'request', name: 'one' })
  const { objects } = (await json<{ objects: { kind: string; name: string }[] }>('ls')).data
  const name = objects.find(({ kind }) => kind === 'LockManager')?.name as string
  t.deepEqual(await usersOf(name, 1), {
    holders: [living(holder.child, 2)],
    waiters: [living(waiter.child, 1)],
  })
  const { stdout } = await crossmem('inspect', name)
  t.regex(stdout, new RegExp(`^held +${holder.child.pid} x 2$`, 'm'))
  t.regex(stdout, new RegExp(`^waiting +${waiter.child.pid}$`, 'm'))
  await kill(holder.child)
  await request
  t.deepEqual(await usersOf(name, 0), { holders: [dead(1), living(waiter.child, 1)], waiters: [] })
  await kill(waiter.child)
  await crossmem('gc')
})

test('inspect shows who updates an array, and who waits to', async t => {
  const name = unique('held')
  const begin = async () => {
    const child = start('arrays/hold-lock-of-data', JSON.stringify({ crossmem: 'NDArray', name }), 'hold')
    t.teardown(() => kill(child))
    return child
  }
  const owner = await hold(name, { shape: [2], dtype: 'int32' })
  const holder = await begin()
  await message(holder)
  const waiter = await begin()
  t.deepEqual(await usersOf(name, 1), { holders: [living(holder, 1)], waiters: [living(waiter, 1)] })
  await kill(waiter)
  t.deepEqual(await usersOf(name, 0), { holders: [living(holder, 1)], waiters: [] })
  await kill(holder)
  t.deepEqual(await usersOf(name, 0), { holders: [dead(1)], waiters: [] })
  await leave(owner)
})

testOnLinux('inspect shows a broken array for what it is', async t => {
  const name = unique('broken')
  const holder = await hold(name, { shape: [10] })
  const bytes = readFileSync(file(name))
  bytes.fill(0, 0, 6)
  writeFileSync(file(name), bytes, { flag: 'r+' })

  const shown = await crossmem('inspect', name)
  t.is(shown.code, 1)
  t.regex(shown.stdout, new RegExp(`^name +${name}\nkind +NDArray\n`))
  t.regex(shown.stderr, /^crossmem: not a valid \.npy: .* \(ERR_CORRUPT\)\n$/)
  const ran = await crossmem('inspect', name, '--json')
  t.is(ran.code, 1)
  const found = JSON.parse(ran.stdout) as { array: unknown; problem: { code: string; message: string } }
  t.is(found.array, null)
  t.is(found.problem.code, 'ERR_CORRUPT')
  t.deepEqual(errorsIn(ran), [found.problem])
  await leave(holder)
})

testOnLinux("another program's memory is foreign: shown, and removed only by rm", async t => {
  const name = unique('psm')
  writeFileSync(file(name), Buffer.alloc(5000, 7))
  t.teardown(() => rmSync(file(name), { force: true }))

  const shown = await crossmem('inspect', name)
  t.is(shown.code, 0)
  t.deepEqual(shown.stdout.trimEnd().split('\n').map(cells), [
    ['name', name],
    ['kind', 'foreign: shared memory that this domain did not make'],
    ['bytes', '4.9 KiB (5000)'],
  ])
  t.like(await json('inspect', name), {
    code: 0,
    data: { name, foreign: true, byteLength: 5000, attached: [], array: null, problem: null },
  })
  t.deepEqual(await json('ls'), { code: 0, data: { domain, objects: [] } })
  await crossmem('gc')
  t.deepEqual(readFileSync(file(name)), Buffer.alloc(5000, 7))

  t.deepEqual(await crossmem('rm', name), { code: 0, stdout: `removed ${name}\n`, stderr: '' })
  t.false(existsSync(file(name)))
})

testOnLinux('foreign memory that no one has sized yet cannot be shown', async t => {
  const name = unique('psm')
  writeFileSync(file(name), '')
  t.teardown(() => rmSync(file(name), { force: true }))
  const ran = await crossmem('inspect', name)
  t.is(ran.code, 1)
  t.regex(ran.stderr, /\(ERR_CORRUPT\)/)
})

testOnLinux('a foreign .npy shows its array', async t => {
  const name = unique('npy')
  const dict = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }"
  const header = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${dict.padEnd(117)}\n`, 'latin1')
  writeFileSync(file(name), Buffer.concat([header, Buffer.alloc(24)]))
  t.teardown(() => rmSync(file(name), { force: true }))

  t.like((await json('inspect', name)).data, {
    foreign: true,
    array: { dtype: 'int32', shape: [2, 3], order: 'C', strides: [3, 1], trailer: false },
  })
  t.regex((await crossmem('inspect', name)).stdout, /^trailer +no: /m)
})

test('--domain wins over CROSSMEM_DOMAIN', async t => {
  const name = unique('elsewhere')
  const elsewhere = unique('domain')
  const holder = await hold(name, { shape: [3] }, { CROSSMEM_DOMAIN: elsewhere })
  t.is(process.env.CROSSMEM_DOMAIN, domain)

  t.deepEqual((await json('ls')).data, { domain, objects: [] })
  const { data } = await json<{ domain: string; objects: Listed[] }>('--domain', elsewhere, 'ls')
  t.is(data.domain, elsewhere)
  t.deepEqual(
    data.objects.map(object => object.name),
    [name],
  )
  t.like((await json('inspect', name, `--domain=${elsewhere}`)).data, { foreign: false })
  if (process.platform === 'linux')
    t.like((await json('inspect', name)).data, { foreign: true, array: { shape: [3], trailer: true } })

  await kill(holder)
  const { stdout } = await crossmem('doctor', '--domain', elsewhere)
  t.true(stdout.endsWith(`: crossmem gc --domain ${elsewhere}\n`), stdout)
  t.like((await json('gc', '--domain', elsewhere)).data, { domain: elsewhere, names: [name] })
  t.is((await json<Diagnosis>('doctor', '--domain', elsewhere)).data.control, null)
})

test('rm removes what it can, and those who have it open keep its bytes', async t => {
  const [first, second, third] = ['first', 'second', 'third'].map(unique) as [string, string, string]
  const missing = unique('missing')
  const holders = [await hold(second, { shape: [4] }), await hold(third, { byteLength: 9, persist: true })]
  const writer = await user()
  await writer.tell({ do: 'create', name: first, byteLength: 4096 })
  await writer.tell({ do: 'write', at: 5, value: 42 })

  const ran = await crossmem('rm', first, missing, 'no/name', second, second)
  t.is(ran.code, 1)
  t.is(ran.stdout, `removed ${first}\nremoved ${second}\n`)
  t.deepEqual(
    ran.stderr
      .trimEnd()
      .split('\n')
      .map(line => line.match(/\((\w+)\)$/)?.[1]),
    ['ERR_NOT_FOUND', 'ERR_INVALID_NAME'],
  )
  t.is(await writer.tell({ do: 'read', at: 5 }), 42)

  const asJson = await crossmem('rm', missing, third, '--json')
  t.is(asJson.code, 1)
  const [error] = errorsIn(asJson)
  t.deepEqual(JSON.parse(asJson.stdout), { domain, removed: [third], failed: [{ name: missing, ...error }] })
  t.deepEqual((await json('ls')).data, { domain, objects: [] })

  await writer.tell({ do: 'leave' }).catch(() => undefined)
  await gone(writer.child)
  await Promise.all(holders.map(leave))
})

test('what a killed process leaves: doctor finds it, gc frees it, doctor is content', async t => {
  const [lost, shared, kept] = ['lost', 'shared', 'kept'].map(unique) as [string, string, string]
  const victim = await hold(lost, { shape: [1000] })
  const alsoVictim = await hold(shared, { byteLength: 100 })
  const survivor = await user()
  await survivor.tell({ do: 'open', reference: shared })
  const bystander = await hold(kept, { byteLength: 100 })
  await isClean(t)
  await kill(victim)
  await kill(alsoVictim)

  const listed = (await crossmem('ls')).stdout.trimEnd().split('\n').map(cells)
  t.deepEqual(listed, [
    ['NAME', 'KIND', 'BYTES', 'PERSIST', 'ATTACHED', 'NOTE'],
    [kept, 'SharedMemory', '100 B', 'no', String(bystander.pid)],
    [lost, 'NDArray', '12.0 KiB', 'no', `${victim.pid} (dead)`, 'doomed: the next sweep removes it'],
    [shared, 'SharedMemory', '100 B', 'no', `${alsoVictim.pid} (dead), ${survivor.child.pid}`],
  ])

  // Looking at it is no reason for it to go.
  const inspected = await crossmem('inspect', lost)
  t.is(inspected.code, 0)
  t.regex(inspected.stdout, /^note +doomed/m)
  t.like((await json('inspect', lost)).data, { doomed: true, array: null, problem: null })

  const ill = await crossmem('doctor')
  t.deepEqual({ code: ill.code, stderr: ill.stderr }, { code: 1, stderr: '' })
  t.regex(ill.stdout, /^agents +2 alive, 2 dead$/m)
  t.regex(ill.stdout, new RegExp(`^${victim.pid} \\(dead\\) +1 +12\\.0 KiB +${lost}$`, 'm'))
  t.is(
    ill.stdout.trimEnd().split('\n').at(-1),
    `to do: sweep 2 dead agents and 1 object with 12.0 KiB (${lost}): crossmem gc --domain ${domain}`,
  )
  const diagnosis = await json<Diagnosis>('doctor')
  t.is(diagnosis.code, 1)
  t.false(diagnosis.data.clean)
  t.deepEqual(diagnosis.data.sweepable, { agents: 2, objects: 1, bytes: 12_288 })
  t.deepEqual(
    diagnosis.data.problems.map(problem => problem.code),
    ['LEFTOVERS'],
  )
  t.deepEqual(
    diagnosis.data.agents.filter(agent => !agent.alive).map(agent => agent.pid),
    [victim.pid, alsoVictim.pid],
  )

  t.deepEqual(await crossmem('gc'), {
    code: 0,
    stdout: `freed 2 dead agents, 1 object with 12.0 KiB: ${lost}\n`,
    stderr: '',
  })
  await isClean(t)
  t.deepEqual((await json('gc')).data, { domain, agents: 0, objects: 0, bytes: 0, names: [] })
  t.like((await json('ls')).data, { objects: [{ name: kept }, { name: shared }] })

  await kill(bystander)
  t.deepEqual(await json('gc'), {
    code: 0,
    data: { domain, agents: 1, objects: 1, bytes: 100, names: [kept] },
  })
  await survivor.tell({ do: 'leave' }).catch(() => undefined)
  await gone(survivor.child)
})

test('rm of a doomed object says that it is gone', async t => {
  const name = unique('doomed')
  await kill(await hold(name, { byteLength: 100 }))
  t.deepEqual(await json('rm', name), { code: 0, data: { domain, removed: [name], failed: [] } })
})

test('many leftovers are counted, not all named', async t => {
  const names = Array.from({ length: 8 }, (_, i) => unique(`left-${i}`))
  const persisting = unique('persisting')
  const holders = await Promise.all(names.map(name => hold(name, { byteLength: 1 })))
  await leave(await hold(persisting, { byteLength: 1, persist: true }))
  await Promise.all(holders.map(kill))
  const { stdout } = await crossmem('doctor')
  t.regex(stdout, /sweep 8 dead agents and 8 objects with 8 B \(left-[^)]* and 2 more\): /)
  const { data } = await json<{ names: string[] }>('gc')
  t.deepEqual(data.names, names)
  t.is((await crossmem('rm', persisting)).code, 0)
})

testOnLinux('doctor finds objects whose name another program removed', async t => {
  const [open, orphan] = ['open', 'orphan'].map(unique) as [string, string]
  const holder = await hold(open, { shape: [5] })
  await leave(await hold(orphan, { byteLength: 8, persist: true }))
  unlinkSync(file(open))
  unlinkSync(file(orphan))

  t.is((await crossmem('ls')).stdout.match(/name removed by another program/g)?.length, 2)
  t.like((await json('inspect', open)).data, { present: false, array: null, problem: null })
  const ill = await crossmem('doctor')
  t.is(ill.code, 1)
  t.regex(ill.stdout, new RegExp(`^to do: .* "${open}", .*: close it in ${holder.pid}$`, 'm'))
  t.regex(ill.stdout, new RegExp(`^to do: .* "${orphan}", .*: remove it: crossmem rm NAME`, 'm'))
  const { code, data } = await json<Diagnosis>('doctor')
  t.is(code, 1)
  t.deepEqual(
    data.problems.map(problem => problem.code),
    ['NAME_REMOVED', 'NAME_REMOVED'],
  )
  t.deepEqual(data.sweepable, { agents: 0, objects: 0, bytes: 0 })

  t.deepEqual((await json('rm', orphan)).data, { domain, removed: [orphan], failed: [] })
  await leave(holder)
})

testOnLinux('doctor and ls work while a stopped process holds the registry, and say who', async t => {
  const child = start('proofs/use-registry-endlessly')
  children.push(child)
  await message(child)
  const stopped = (): boolean =>
    / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/.*\)/s, ''))
  // Stopped again and again, until it happens inside.
  let found: { code: number; data: Diagnosis }
  do {
    child.kill('SIGCONT')
    child.kill('SIGSTOP')
    while (!stopped());
    found = await json<Diagnosis>('doctor')
  } while (found.data.registryHeldBy === null)

  t.is(found.data.registryHeldBy, child.pid as number)
  t.is(found.code, 1)
  t.true(found.data.problems.some(problem => problem.code === 'REGISTRY_STUCK'))
  const { stdout } = await crossmem('doctor')
  t.regex(stdout, new RegExp(`^registry +held by ${child.pid} now$`, 'm'))
  t.regex(
    stdout,
    new RegExp(`^to do: process ${child.pid} holds the registry .*; continue it or kill it$`, 'm'),
  )
  t.is((await crossmem('ls')).code, 0)
  await kill(child)
  t.is((await crossmem('gc')).code, 0)
  await isClean(t)
})

// A /dev/shm of its own, of 1 MiB, needs a mount namespace.
const inFullShm = (command: string): string[] => [
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=1m tmpfs /dev/shm && head -c 1048576 /dev/zero > /dev/shm/filler && ${command}`,
]
const canFill = process.platform === 'linux' && spawnSync('unshare', inFullShm('true')).status === 0
const testFull = canFill ? test : test.skip

testFull('doctor works where shared memory is full, and says so', async t => {
  const { status, stdout } = spawnSync('unshare', inFullShm(`"${process.execPath}" "${main}" doctor`), {
    encoding: 'utf8',
  })
  t.is(status, 1)
  t.regex(stdout, /^\/dev\/shm +0 B free of 1\.0 MiB$/m)
  t.regex(stdout, /^to do: shared memory is full: 0 B free of 1\.0 MiB; /m)
})

test('whoever reads may stop reading', async t => {
  for (const args of [['ls'], ['doctor', '--json'], ['--help'], ['nonsense']]) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    const errors = text(child.stderr)
    const [code] = await once(child, 'close')
    t.is(code, args[0] === 'nonsense' ? 2 : 0)
    t.notRegex(await errors, /EPIPE|node:/)
  }
  const deaf = spawn(process.execPath, [main, 'nonsense'], { stdio: ['ignore', 'ignore', 'pipe'] })
  deaf.stderr.destroy()
  t.is((await once(deaf, 'close'))[0], 2)
})
