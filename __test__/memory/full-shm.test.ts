import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { fixture } from '../helpers/paths.js'

// A /dev/shm of our own, of 8 MiB, needs a mount namespace.
const inSmallShm = (command: string): string[] => [
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=8m tmpfs /dev/shm && ${command}`,
]
const possible = process.platform === 'linux' && spawnSync('unshare', inSmallShm('true')).status === 0

/** Runs a program there, and returns what it says. */
function run(t: ExecutionContext, name: string) {
  const command = `"${process.execPath}" "${fixture(name)}"`
  const { stdout, stderr, status } = spawnSync('unshare', inSmallShm(command), { encoding: 'utf8' })
  t.is(status, 0, stderr)
  return JSON.parse(stdout)
}

if (possible) {
  test('a full /dev/shm is refused at creation, with the bytes wanted and free, and never a SIGBUS', t => {
    const { refusal, got, filled, again } = run(t, 'memory/fill-shared-memory')
    t.is(refusal.code, 'ERR_NO_SPACE')
    t.regex(refusal.message, /1048576 bytes wanted, \d+ free.*--shm-size/)
    t.true(got >= 4 && got < 8, `${got} MiB of 8`)
    t.is(filled, 'ERR_NO_SPACE')
    t.is(again, 1 << 20)
  })

  test('a large message takes the memory that the queue has kept if there is no other', t => {
    const { kept, left, large, isWhole } = run(t, 'memory/fill-beside-kept-memory')
    t.true(left < large && large <= left + kept, `${large} bytes, ${left} left and ${kept} kept`)
    t.true(isWhole)
  })

  test('a map in a full /dev/shm refuses an entry, keeps the others, and goes on once there is memory', t => {
    const { refusal, isWhole, removed, again, large } = run(t, 'map/fill-map')
    t.is(refusal, 'ERR_NO_SPACE')
    t.true(isWhole)
    t.true(removed)
    t.is(again, 20)
    t.is(large, 'ERR_NO_SPACE')
  })
} else {
  test.skip('a full /dev/shm is refused at creation (skipped: no mount namespace to be had)', () => undefined)
  test.skip('a large message takes kept memory (skipped: no mount namespace to be had)', () => undefined)
  test.skip('a map in a full /dev/shm refuses an entry (skipped: no mount namespace to be had)', () =>
    undefined)
}
