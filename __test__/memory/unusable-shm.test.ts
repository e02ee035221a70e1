import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { hasNamespaces, inNamespace, withoutShm } from '../helpers/namespace.js'
import { fixture, root } from '../helpers/paths.js'

const create = [process.execPath, fixture('memory/create-memory'), '1000']
const doctor = [process.execPath, join(root, 'dist', 'cli', 'main.js'), 'doctor', '--json']

const unusable: { what: string; mount: string; code: string; message: RegExp; as?: string[] }[] = [
  {
    what: 'missing',
    mount: withoutShm,
    code: 'ERR_OS',
    message: /no directory \/dev\/shm: make it, and mount a tmpfs/,
  },
  {
    what: 'read-only',
    mount: 'mount -t tmpfs -o ro none /dev/shm',
    code: 'ERR_OS',
    message: /\/dev\/shm is read-only: mount it for writing/,
  },
  {
    what: "another user's, and not writable",
    mount: 'mount -t tmpfs -o mode=755 none /dev/shm',
    code: 'ERR_PERMISSION',
    message: /\/dev\/shm may not be written to by this user: .*chmod 1777/,
    as: ['setpriv', '--reuid=1001', '--regid=1001', '--clear-groups'],
  },
  {
    what: 'out of inodes',
    mount: 'mount -t tmpfs -o nr_inodes=2 none /dev/shm && touch /dev/shm/a',
    code: 'ERR_NO_SPACE',
    message: /no inode left/,
  },
  {
    what: 'a file system without unnamed files',
    mount: 'mount -t proc none /dev/shm',
    code: 'ERR_OS',
    message: /no files without a name \(O_TMPFILE\): mount a tmpfs/,
  },
]

if (hasNamespaces) {
  for (const { what, mount, code, message, as = [] } of unusable) {
    test(`a /dev/shm that is ${what} is told in words by create and by doctor`, t => {
      const ran = inNamespace(mount, [...as, ...create])
      const [refused] = JSON.parse(ran.stdout || '[]') as { code: string; message: string }[]
      t.is(refused?.code, code, ran.stderr)
      t.regex(refused?.message as string, message)
      const diagnosis = inNamespace(mount, [...as, ...doctor])
      const { problems, clean } = JSON.parse(diagnosis.stdout || '{}') as {
        problems: { code: string; message: string }[]
        clean: boolean
      }
      t.false(clean, diagnosis.stderr)
      t.true(
        problems.some(problem => problem.code === 'UNUSABLE' && message.test(problem.message)),
        JSON.stringify(problems),
      )
    })
  }

  test('objects are made without /proc, by root on any kernel', t => {
    const { stdout, stderr } = inNamespace('umount --lazy /proc', create)
    t.is(stdout, '[{"size":1000}]\n', stderr)
    const { stdout: told, stderr: wrong } = inNamespace('umount --lazy /proc', doctor)
    t.is((JSON.parse(told || '{}') as { clean?: boolean }).clean, true, wrong)
  })

  test('other users without /proc make objects since Linux 6.10, and are told to mount it before', t => {
    const as = ['setpriv', '--reuid=1001', '--regid=1001', '--clear-groups']
    const mount = 'mount -t tmpfs -o mode=1777 none /dev/shm && umount --lazy /proc'
    const { stdout, stderr } = inNamespace(mount, [...as, ...create])
    const [made] = JSON.parse(stdout || '[]') as { size?: number; code?: string; message?: string }[]
    const [major = 0, minor = 0] = spawnSync('uname', ['-r'], { encoding: 'utf8' })
      .stdout.split('.')
      .map(Number)
    if (major > 6 || (major === 6 && minor >= 10)) t.is(made?.size, 1000, stderr)
    else t.regex(made?.message as string, /mount \/proc/)
  })
} else {
  test.skip('a /dev/shm that cannot be used is told in words (skipped: no mount namespace to be had)', () =>
    undefined)
}
