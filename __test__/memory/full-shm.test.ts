import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import test from 'ava'
import { fixture } from '../helpers/paths.js'

// A /dev/shm of our own, of 8 MiB, needs a mount namespace.
const inSmallShm = (command: string): string[] => [
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=8m tmpfs /dev/shm && ${command}`,
]
const possible = process.platform === 'linux' && spawnSync('unshare', inSmallShm('true')).status === 0

if (possible) {
  test('a full /dev/shm is refused at creation, with the bytes wanted and free, and never a SIGBUS', t => {
    const program = fixture('memory/fill-shared-memory')
    const { stdout, stderr, status } = spawnSync(
      'unshare',
      inSmallShm(`"${process.execPath}" "${program}"`),
      {
        encoding: 'utf8',
      },
    )
    t.is(status, 0, stderr)
    const { refusal, got, filled, again } = JSON.parse(stdout)
    t.is(refusal.code, 'ERR_NO_SPACE')
    t.regex(refusal.message, /1048576 bytes wanted, \d+ free.*--shm-size/)
    t.true(got >= 4 && got < 8, `${got} MiB of 8`)
    t.is(filled, 'ERR_NO_SPACE')
    t.is(again, 1 << 20)
  })
} else {
  test.skip('a full /dev/shm is refused at creation (skipped: no mount namespace to be had)', () => undefined)
}
