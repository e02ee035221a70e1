import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { folder } from '../helpers/folder.js'
import { hasNamespaces, inNamespace, withoutShm } from '../helpers/namespace.js'
import { fixture, root } from '../helpers/paths.js'

const onLinux = process.platform === 'linux' ? test : test.skip
const inMounts = hasNamespaces ? test : test.skip

const share = [process.execPath, fixture('memory/share-in-directory')]
const create = [process.execPath, fixture('memory/create-memory'), '1000']
const main = join(root, 'dist', 'cli', 'main.js')
const asOther = ['setpriv', '--reuid=1001', '--regid=1001', '--clear-groups']

const chosen = (CROSSMEM_DIR: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  CROSSMEM_DIR,
  ...more,
})
const run = ([command = '', ...args]: string[], env: NodeJS.ProcessEnv) =>
  spawnSync(command, args, { encoding: 'utf8', env })

const shared = {
  length: 100_000,
  ownerDied: true,
  names: ['array', 'mutex', 'queue'],
  code: 'ERR_PEER_DIED',
  repaired: [7, 7, 7],
  got: 'by pipe',
}

/** What lies in the directories of users in it. */
const leftIn = (directory: string): string[] =>
  readdirSync(directory).flatMap(own => readdirSync(join(directory, own)))

onLinux('objects lie in the directory of CROSSMEM_DIR, with all that is promised after deaths', t => {
  const directory = folder(t)
  const { stdout, stderr } = run(share, chosen(directory))
  t.deepEqual(JSON.parse(stdout || '{}'), shared, stderr)
  t.regex(readdirSync(directory).join(), /^crossmem-\d+-[0-9a-f]{16}$/)
  t.deepEqual(leftIn(directory), [])
})

inMounts('without /dev/shm, objects are shared in the directory of CROSSMEM_DIR', t => {
  const directory = folder(t)
  const { stdout, stderr } = inNamespace(withoutShm, share, chosen(directory))
  t.deepEqual(JSON.parse(stdout || '{}'), shared, stderr)
  t.deepEqual(leftIn(directory), [])
})

onLinux('the command sees what lies in the directory of CROSSMEM_DIR, and nothing else', t => {
  const directory = folder(t)
  const script = `require(${JSON.stringify(root)}).Mutex.create('kept', { persist: true }).close()`
  const made = run([process.execPath, '-e', script], chosen(directory))
  t.is(made.stderr, '')
  const ls = run([process.execPath, main, 'ls', '--json'], chosen(directory))
  t.deepEqual(
    (JSON.parse(ls.stdout || '{}') as { objects?: { name: string }[] }).objects?.map(({ name }) => name),
    ['kept'],
    ls.stderr,
  )
  const elsewhere = run([process.execPath, main, 'ls', '--json'], chosen(folder(t)))
  t.deepEqual((JSON.parse(elsewhere.stdout) as { objects: unknown[] }).objects, [])
  const doctor = run([process.execPath, main, 'doctor'], chosen(directory))
  t.true(doctor.stdout.includes(`${directory} `), doctor.stdout)
  t.is(run([process.execPath, main, 'rm', 'kept'], chosen(directory)).status, 0)
  t.deepEqual(leftIn(directory), [])
})

interface Unfit {
  what: string
  code: string
  message: RegExp
  /** Makes the path of a new directory unfit. */
  make?: (path: string) => unknown
  /** Commands of a shell in a mount namespace, with the path as $DIR. */
  mount?: string
  env?: NodeJS.ProcessEnv
  as?: string[]
  /** Whether a smaller object couldn't be made either. Default: true. */
  isFoundByDoctor?: boolean
}

const unfit: Unfit[] = [
  {
    what: 'relative',
    code: 'ERR_INVALID_ARG',
    message: /absolute path.*not here/,
    env: { CROSSMEM_DIR: 'here' },
  },
  {
    what: 'missing',
    code: 'ERR_OS',
    message: /there is no directory .*CROSSMEM_DIR.*make it/,
    make: rmdirSync,
  },
  {
    what: 'open to other users',
    code: 'ERR_PERMISSION',
    message: /other users may remove what lies in .*chmod \+t/,
    make: path => chmodSync(path, 0o777),
  },
  {
    what: 'together with a group',
    code: 'ERR_UNSUPPORTED',
    message: /unset CROSSMEM_DIR/,
    env: { CROSSMEM_GROUP: '0' },
  },
  {
    what: 'not to be written to',
    code: 'ERR_PERMISSION',
    message: /may not be written to by this user/,
    make: path => chmodSync(path, 0o755),
    as: asOther,
    mount: 'true',
  },
  { what: 'read-only', code: 'ERR_OS', message: /is read-only/, mount: 'mount -t tmpfs -o ro none $DIR' },
  {
    what: 'full',
    code: 'ERR_NO_SPACE',
    message: /make room in .*CROSSMEM_DIR/,
    mount: 'mount -t tmpfs -o size=64k none $DIR',
    isFoundByDoctor: false,
  },
  {
    what: 'without inodes',
    code: 'ERR_NO_SPACE',
    message: /has no inode left/,
    mount: 'mount -t tmpfs -o nr_inodes=2 none $DIR',
    isFoundByDoctor: false,
  },
]

for (const { what, code, message, make, mount, env, as = [], isFoundByDoctor = true } of unfit) {
  const testIt = mount === undefined ? onLinux : inMounts
  testIt(`a CROSSMEM_DIR that is ${what} is refused in words`, t => {
    const path = join(folder(t), 'chosen')
    chmodSync(join(path, '..'), 0o755)
    mkdirSync(path)
    make?.(path)
    const variables = chosen(path, { DIR: path, ...env })
    const inIt = (command: string[]) =>
      mount === undefined ? run(command, variables) : inNamespace(mount, [...as, ...command], variables)
    const { stdout, stderr } = inIt(create)
    const [refused] = JSON.parse(stdout || '[]') as { code: string; message: string }[]
    t.is(refused?.code, code, stderr)
    t.regex(refused?.message as string, message)
    if (!isFoundByDoctor) return
    const doctor = inIt([process.execPath, main, 'doctor', '--json'])
    t.regex(doctor.stdout + doctor.stderr, message)
  })
}

onLinux('huge pages are refused in a directory that lies on a disk', t => {
  const script = `require(${JSON.stringify(root)}).SharedMemory.create(null, 4096, { hugePages: true })`
  const { stderr } = run([process.execPath, '-e', script], chosen(folder(t)))
  t.regex(stderr, /leave hugePages out/)
  t.regex(stderr, /code: 'ERR_UNSUPPORTED'/)
})

onLinux("a directory of another kind under the user's name is refused", t => {
  const directory = folder(t)
  const { stdout } = run(create, chosen(directory))
  t.is(stdout, '[{"size":1000}]\n')
  const [own = ''] = readdirSync(directory)
  const other = folder(t)
  symlinkSync(folder(t), join(other, own))
  const [refused] = JSON.parse(run(create, chosen(other)).stdout || '[]') as {
    code: string
    message: string
  }[]
  t.is(refused?.code, 'ERR_PERMISSION')
  t.regex(refused?.message as string, /is not a directory of this user alone/)
})
