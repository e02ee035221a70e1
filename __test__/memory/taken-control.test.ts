import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { fixture } from '../helpers/paths.js'

const domain = process.env.CROSSMEM_DOMAIN as string
const program = fixture('memory/share-in-two-processes')

interface Diagnosis {
  written: number
  control: { name: string }
  taken: { path: string; owner: number }[]
  agents: unknown[]
  problems: unknown[]
}

// `as UID …` runs as another user. `share` and `$hold` run the program as the victim.
const PRELUDE = `
  mount -t tmpfs -o mode=1777 none /dev/shm || exit 77
  as() { local uid=$1; shift; setpriv --reuid=$uid --regid=$uid --clear-groups "$@"; }
  name=/dev/shm/.crossmem-$UID_OF_VICTIM-v8-${domain}
  share() { as $UID_OF_VICTIM "$NODE" "$PROGRAM" "$@"; }
  # Without a function: the process id is that of the program itself, which replaces setpriv.
  hold="setpriv --reuid=$UID_OF_VICTIM --regid=$UID_OF_VICTIM --clear-groups $NODE $PROGRAM"
`

/** Runs a script in a mount namespace with a /dev/shm of its own; the diagnoses that it prints. */
function inNamespace(
  script: string,
  victim = 0,
): { diagnoses: Diagnosis[]; stderr: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync('unshare', ['--mount', 'bash', '-c', PRELUDE + script], {
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath, PROGRAM: program, UID_OF_VICTIM: String(victim) },
  })
  const lines = (stdout ?? '').split('\n').filter(line => line.startsWith('{'))
  return { diagnoses: lines.map(line => JSON.parse(line) as Diagnosis), stderr, status }
}

const isPossible = process.platform === 'linux' && inNamespace('as 1001 true').status === 0
const hasUserNamespaces =
  isPossible && inNamespace('as 1001 unshare --user --map-root-user true').status === 0

/** Both processes share memory in one domain, whose control segment has this ending. */
function shared(t: ExecutionContext, diagnosis: Diagnosis | undefined, ending: string, stderr: string): void {
  t.is(diagnosis?.written, 2, stderr)
  t.true(diagnosis?.control.name.endsWith(`${domain}${ending}`), diagnosis?.control.name)
  t.deepEqual(diagnosis?.problems, [])
}

if (isPossible) {
  const squats = {
    'a file': 'echo > $name',
    'a file of the right size': 'truncate -s 389120 $name',
    'a file that all may write': '(umask 0; echo > $name; chmod 666 $name)',
    'a directory': 'mkdir $name',
    'a symbolic link to a file': 'ln -s /etc/passwd $name',
    'a symbolic link to nothing': 'ln -s /dev/shm/nothing $name',
    'a pipe': 'mkfifo $name',
  }
  for (const [what, squat] of Object.entries(squats)) {
    for (const victim of [0, 1002]) {
      test(`${what} that another user made under the control segment's name keeps user ${victim} from nothing`, t => {
        const script = `export name; as 1001 bash -c '${squat}' || exit 1; share a; share b`
        const { diagnoses, stderr } = inNamespace(script, victim)
        t.is(diagnoses.length, 2, stderr)
        for (const diagnosis of diagnoses) {
          shared(t, diagnosis, '~1', stderr)
          t.deepEqual(
            diagnosis.taken.map(({ path, owner }) => [path, owner]),
            [[`/dev/shm/.crossmem-${victim}-v8-${domain}`, 1001]],
          )
        }
      })
    }
  }

  test('the first name that no other user has is taken, however many they have', t => {
    const squat = 'as 1001 touch $name $name~1 $name~2 $name~3 $name~5 $name~06 $name~x $name-other~4'
    const { diagnoses, stderr } = inNamespace(`${squat}; share a`, 1002)
    shared(t, diagnoses[0], '~4', stderr)
    t.is(diagnoses[0]?.taken.length, 5)
  })

  test('a domain goes on under its name when the other user removes the first name, or makes it later', t => {
    const script = `
      as 1001 touch $name
      $hold held hold > /dev/null & holder=$!
      until [ -e /dev/shm/held ]; do sleep 0.01; done
      share a
      rm $name
      share b
      as 1001 touch $name
      share c
      kill -KILL $holder; wait 2>/dev/null; true`
    const { diagnoses, stderr } = inNamespace(script, 1002)
    t.is(diagnoses.length, 3, stderr)
    for (const diagnosis of diagnoses) {
      shared(t, diagnosis, '~1', stderr)
      t.is(diagnosis.agents.length, 2, 'the holder, and the process that shares')
    }
  })

  test('processes that start at the same time beside a foreign file meet in one domain', t => {
    const script = `
      as 1001 touch $name
      for i in 1 2 3 4; do $hold held$i hold > /dev/null & done
      for i in 1 2 3 4; do until [ -e /dev/shm/held$i ]; do sleep 0.01; done; done
      share a
      kill -KILL $(jobs -p); wait 2>/dev/null; true`
    const { diagnoses, stderr } = inNamespace(script, 1002)
    shared(t, diagnoses[0], '~1', stderr)
    t.is(diagnoses[0]?.agents.length, 5)
  })

  test("a link that another user made to the victim's own file under the name keeps the victim from nothing", t => {
    const script = 'as 1002 touch /dev/shm/mine; ln /dev/shm/mine $name; share a'
    const { diagnoses, stderr } = inNamespace(script, 1002)
    shared(t, diagnoses[0], '~1', stderr)
  })
} else {
  test.skip('files of other users keep nobody out (skipped: no mount namespace, or no other user to be had)', () =>
    undefined)
}

if (hasUserNamespaces) {
  test("root of a user namespace and the machine's root share /dev/shm, each in a domain of its own", t => {
    const rootless =
      'setpriv --reuid=1001 --regid=1001 --clear-groups unshare --user --map-root-user $NODE $PROGRAM'
    const orders = [
      [rootless, '$hold', 1001],
      ['$hold', rootless, 65_534],
    ] as const
    for (const [first, second, owner] of orders) {
      const script = `
        ${first} held hold > /dev/null & holder=$!
        until [ -e /dev/shm/held ]; do sleep 0.01; done
        ${second} a
        kill -KILL $holder; wait 2>/dev/null; true`
      const { diagnoses, stderr } = inNamespace(script)
      shared(t, diagnoses[0], '~1', stderr)
      t.deepEqual(
        diagnoses[0]?.taken.map(taken => taken.owner),
        [owner],
      )
      t.is(diagnoses[0]?.agents.length, 1)
    }
  })
} else {
  test.skip('root of a user namespace keeps nobody out (skipped: no user namespace to be had)', () =>
    undefined)
}
