import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import test from 'ava'
import { fixture } from '../helpers/paths.js'
import { main } from '../processes/command.js'

/** Runs a program with a /dev/shm of 20 MiB that is mounted with these options. */
const under = (options: string, ...command: string[]) =>
  spawnSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs -o size=20m,${options} none /dev/shm && exec "$@"`,
      'sh',
      ...command,
    ],
    { encoding: 'utf8' },
  )

const isPossible = process.platform === 'linux' && under('huge=advise', 'echo', 'yes').stdout === 'yes\n'
const program = [process.execPath, fixture('memory/huge-pages')]
const doctor = [process.execPath, main, 'doctor']

interface Printed {
  tried: string[]
  refusal: string
  count: number
  usual: number
  huge?: number
}

const run = (options: string): Printed => JSON.parse(under(options, ...program).stdout || '{}') as Printed

if (isPossible) {
  test('hugePages reserves memory in huge pages; a full /dev/shm is refused, and never a SIGBUS', t => {
    const { tried, refusal, count, usual, huge } = run('huge=advise')
    t.deepEqual(tried, ['made', 'made', 'made'])
    t.is(refusal, 'ERR_NO_SPACE')
    t.is(count, 3)
    t.deepEqual([usual, huge], [0, 4096])
  })

  test('hugePages is refused where the mount gives none, and says how it does', t => {
    const { tried, refusal } = run('huge=never')
    for (const said of tried) {
      t.regex(said, /^ERR_UNSUPPORTED: \/dev\/shm gives no huge pages .*huge=never.*remount,huge=advise/)
    }
    t.is(refusal, 'ERR_UNSUPPORTED')
  })

  test('doctor says what the mount gives', t => {
    const says = (options: string) => /^huge pages +(.*)$/m.exec(under(options, ...doctor).stdout)?.[1]
    t.is(says('huge=never'), 'none (huge=never)')
    t.is(says('huge=advise'), 'for objects with hugePages: true (huge=advise)')
    t.is(says('huge=within_size'), 'for all objects (huge=within_size)')
    const { hugePages } = JSON.parse(under('huge=always', ...doctor, '--json').stdout) as {
      hugePages: { mount: string; system: string | null }
    }
    t.is(hugePages.mount, 'always')
  })
} else {
  for (const title of [
    'memory in huge pages',
    'a mount without huge pages',
    'doctor says what the mount gives',
  ]) {
    test.skip(`${title} (skipped: no mount namespace, or no huge pages for tmpfs, to be had)`, () =>
      undefined)
  }
}
