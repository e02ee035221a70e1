import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { unique } from '../helpers/domain.js'
import { fixture, root } from '../helpers/paths.js'

const MIB = 1 << 20
const GIB = 2 ** 30

interface Ran {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}
/** What became of a queue that was filled with large messages. */
interface Filled extends Outcome {
  count: number
  areWhole: boolean
  fitsAgain: boolean
}
interface Outcome {
  size?: number
  code?: string
  message?: string
}

const shell = (script: string, ...args: string[]): Ran =>
  spawnSync('sh', ['-c', script, 'sh', process.execPath, ...args], { encoding: 'utf8' })

/**
 * Runs a script, with `node` as $1 and the arguments behind it, where it may mount file systems.
 */
const inNamespace = (script: string, ...args: string[]): Ran =>
  spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', process.execPath, ...args], { encoding: 'utf8' })

/** A directory of cgroups with a memory controller that this process may make cgroups in. */
function memoryCgroups(): { directory: string; limit: string; high?: string } | undefined {
  const v1 = { directory: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' }
  const v2 = { directory: '/sys/fs/cgroup', limit: 'memory.max', high: 'memory.high' }
  return [v2, v1].find(({ directory, limit }) => {
    const probe = join(directory, unique('crossmem-probe'))
    try {
      if (limit === v2.limit) writeFileSync(join(directory, 'cgroup.subtree_control'), '+memory')
      mkdirSync(probe)
      const isThere = existsSync(join(probe, limit))
      rmdirSync(probe)
      return isThere
    } catch {
      return false
    }
  })
}

const cgroups = process.platform === 'linux' ? memoryCgroups() : undefined

/** Runs a program in nested memory cgroups, of which the outer one has the limit. */
function limited(limits: Record<string, number>, program: string, ...args: string[]): Ran {
  const outer = join(cgroups?.directory as string, unique('crossmem-limit'))
  const inner = join(outer, 'inner')
  mkdirSync(outer)
  try {
    if (cgroups?.high) writeFileSync(join(outer, 'cgroup.subtree_control'), '+memory')
    mkdirSync(inner)
    for (const [file, bytes] of Object.entries(limits)) writeFileSync(join(outer, file), String(bytes))
    return shell(`echo $$ > "${inner}/cgroup.procs" && exec "$@"`, program, ...args)
  } finally {
    rmdirSync(inner)
    rmdirSync(outer)
  }
}

if (cgroups) {
  const { limit, high } = cgroups

  test('more than the memory cgroup allows is refused with the name of the limit, and no process is killed', t => {
    for (const file of [limit, ...(high ? [high] : [])]) {
      const { stdout, stderr, signal } = limited(
        { [file]: 256 * MIB },
        fixture('memory/create-memory'),
        String(512 * MIB),
        String(64 * MIB),
      )
      t.is(signal, null, stderr)
      const [refused, made] = JSON.parse(stdout) as [Outcome, Outcome]
      t.is(refused.code, 'ERR_NO_SPACE')
      t.regex(
        refused.message as string,
        new RegExp(`536870912 bytes wanted, \\d+ free of 268435456 \\(.*${file}\\)`),
      )
      t.deepEqual(made, { size: 64 * MIB })
    }
  })

  for (const size of [32 << 10, 300_000, 3 * MIB, 100 * MIB]) {
    test(`objects of ${size} bytes fill a memory cgroup up to its limit, and no process is killed`, t => {
      const { stdout, stderr, signal } = limited(
        { [limit]: 120 * MIB },
        fixture('memory/fill-memory'),
        String(size),
      )
      t.is(signal, null, stderr)
      const { bytes, code, message } = JSON.parse(stdout) as Outcome & { bytes: number }
      t.is(code, 'ERR_NO_SPACE', message)
      t.true((message as string).includes(limit), message)
      t.true(bytes + size > 50 * MIB, `only ${bytes} bytes fit`)
    })
  }

  for (const length of [32 << 10, 3 * MIB]) {
    test(`messages of ${length} bytes fill a memory cgroup up to its limit, and no process is killed`, t => {
      const { stdout, stderr, signal } = limited(
        { [limit]: 160 * MIB },
        fixture('memory/fill-queue'),
        String(length),
        String(32 * MIB),
      )
      t.is(signal, null, stderr)
      const filled = JSON.parse(stdout) as Filled
      t.is(filled.code, 'ERR_NO_SPACE', filled.message)
      t.true((filled.message as string).includes(limit), filled.message)
      t.true((filled.count + 1) * length > 50 * MIB, `only ${filled.count} messages fit`)
      t.deepEqual([filled.size, filled.areWhole, filled.fitsAgain], [filled.count, true, true])
    })
  }

  test('page cache that the kernel can drop counts as free', t => {
    const file = join(root, 'build', unique('page-cache'))
    t.teardown(() => rmSync(file))
    const program = fixture('memory/fill-page-cache')
    const { stdout, stderr, signal } = limited({ [limit]: 256 * MIB }, program, file, String(120 * MIB))
    t.is(signal, null, stderr)
    const { cached, made } = JSON.parse(stdout)
    t.true(cached > 160 * MIB)
    t.is(made, 120 * MIB)
  })

  test('doctor shows the limit of the memory cgroup', t => {
    const { stdout, stderr } = limited(
      { [limit]: 256 * MIB },
      join(root, 'dist', 'cli', 'main.js'),
      'doctor',
      '--json',
    )
    const { memory } = JSON.parse(stdout || '{}') as {
      memory?: { cgroup: string; totalBytes: number; freeBytes: number }
    }
    t.is(memory?.totalBytes, 256 * MIB, stderr)
    t.true((memory?.freeBytes as number) < 256 * MIB)
    t.is(memory?.cgroup.split('/').at(-1), limit)
  })
} else {
  test.skip('a memory cgroup is never exceeded (skipped: no memory cgroup can be made here)', () => undefined)
}

if (process.platform === 'linux' && inNamespace('mount -t tmpfs tmpfs /dev/shm').status === 0) {
  const mounts = {
    'a tmpfs without a limit': '-t tmpfs -o size=0',
    'a tmpfs without a limit of inodes': '-t tmpfs -o size=64m,nr_inodes=0',
    'a ramfs': '-t ramfs',
  }
  for (const [what, mount] of Object.entries(mounts)) {
    test(`${what} as /dev/shm has room for objects, and is refused what the machine doesn't have`, t => {
      const { stdout, stderr } = inNamespace(
        `mount ${mount} none /dev/shm && exec "$@"`,
        fixture('memory/create-memory'),
        '1000',
        String(8 * MIB),
        String(2 ** 50),
      )
      const [small, large, refused] = JSON.parse(stdout || '[]') as Outcome[]
      t.deepEqual([small, large], [{ size: 1000 }, { size: 8 * MIB }], stderr)
      t.is(refused?.code, 'ERR_NO_SPACE')
      t.regex(refused?.message as string, /1125899906842624 bytes wanted, \d+ free/)
    })
  }

  test('large messages fill a small /dev/shm, the next is refused, and none is lost', t => {
    const { stdout, stderr } = inNamespace(
      'mount -t tmpfs -o size=16m none /dev/shm && exec "$@"',
      fixture('memory/fill-queue'),
      String(MIB + 100),
    )
    const filled = JSON.parse(stdout || '{}') as Filled
    t.is(filled.code, 'ERR_NO_SPACE', stderr)
    t.regex(filled.message as string, /shared memory is full: 1048676 bytes wanted, \d+ free.*--shm-size/)
    t.true(filled.count > 10, `${filled.count} fit`)
    t.deepEqual([filled.size, filled.areWhole, filled.fitsAgain], [filled.count, true, true])
  })

  test('an object is refused if there is no memory for more entries of the registry, and room is used again', t => {
    // 95 pages for a new control segment, 128 for the objects that it has entries for, and fewer
    // than the 14 that more entries take.
    const { stdout, stderr, signal } = inNamespace(
      'mount -t tmpfs -o size=924k none /dev/shm && exec "$@"',
      fixture('memory/fill-registry'),
      '1000',
    )
    t.is(signal, null, stderr)
    const { made, listed, code, message } = JSON.parse(stdout || '{}')
    t.deepEqual({ made, listed, code }, { made: 128, listed: 128, code: 'ERR_NO_SPACE' }, stderr)
    t.regex(message, /57344 bytes wanted/)
  })

  test('a domain in a ramfs, which can reserve nothing, holds more objects than at first', t => {
    const { stdout, stderr } = inNamespace(
      'mount -t ramfs none /dev/shm && exec "$@"',
      fixture('memory/fill-registry'),
      '300',
    )
    t.deepEqual(JSON.parse(stdout || '{}'), { made: 300, listed: 300 }, stderr)
  })

  test('a /dev/shm without a free inode is refused as that', t => {
    const { stdout, stderr } = inNamespace(
      'mount -t tmpfs -o size=64m,nr_inodes=3 none /dev/shm && touch /dev/shm/a && exec "$@"',
      fixture('memory/create-memory'),
      '1000',
      '1000',
    )
    // One inode is the directory's, one the file's above, one the control segment's.
    for (const { code, message } of JSON.parse(stdout || '[]') as Outcome[]) {
      t.is(code, 'ERR_NO_SPACE', stderr)
      t.regex(message as string, /no inode left.*it may have 3 files.*nr_inodes/)
    }
    t.not(stdout, '')
  })
} else {
  test.skip('a /dev/shm without limits, or without inodes (skipped: no mount namespace to be had)', () =>
    undefined)
}

if (process.platform !== 'win32') {
  test('a limit on the size of files is refused as that, and ends no process', t => {
    for (const kibibytes of [8192, 100]) {
      const { stdout, stderr, signal } = spawnSync(
        'bash',
        [
          '-c',
          `ulimit -f ${kibibytes} && exec "$@"`,
          'bash',
          process.execPath,
          fixture('memory/create-memory'),
          String(64 * MIB),
        ],
        { encoding: 'utf8' },
      )
      t.is(signal, null, stderr)
      const [refused] = JSON.parse(stdout || '[]') as Outcome[]
      t.is(refused?.code, 'ERR_NO_SPACE', stderr)
      t.true(refused?.message?.includes(`may have ${kibibytes << 10} bytes (RLIMIT_FSIZE)`), refused?.message)
    }
  })
}

if (process.platform === 'linux') {
  test('a limit on the size of files is named to a put of a large message, and ends no process', t => {
    const { stdout, stderr, signal } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 8192 && exec "$@"', 'bash', process.execPath, fixture('memory/fill-queue'), '3000'],
      { encoding: 'utf8' },
    )
    t.is(signal, null, stderr)
    const filled = JSON.parse(stdout || '{}') as Filled
    t.is(filled.code, 'ERR_NO_SPACE', stderr)
    t.regex(filled.message as string, /may have 8388608 bytes \(RLIMIT_FSIZE\).*messageBytes/)
    t.deepEqual([filled.size, filled.areWhole, filled.fitsAgain], [filled.count, true, true])
  })
}

test('more than the machine can have is refused', t => {
  const { stdout } = shell('exec "$@"', fixture('memory/create-memory'), String(2 ** 20 * GIB))
  const [refused] = JSON.parse(stdout) as Outcome[]
  t.is(refused?.code, 'ERR_NO_SPACE')
})
