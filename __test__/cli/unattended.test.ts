import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { fixture, root } from '../helpers/paths.js'
import { main } from '../processes/command.js'

const page = readFileSync(join(root, 'docs', 'command-line.md'), 'utf8')
const domain = process.env.CROSSMEM_DOMAIN as string

// A /dev/shm of its own: `--all` sweeps all domains of the user, and the tests have a user's.
const inNamespace = (script: string) =>
  spawnSync('unshare', ['--mount', 'sh', '-c', `mount -t tmpfs tmpfs /dev/shm && ${script}`], {
    encoding: 'utf8',
  })
const isPossible = process.platform === 'linux' && inNamespace('true').status === 0

/** A program that makes an object and that `signal` ends, and then a command. */
const endedBy = (signal: string, command: string): string => `
  "${process.execPath}" "${fixture('cli/wait-for-signal')}" & pid=$!
  until ls /dev/shm | grep -q '^lost$'; do sleep 0.01; done
  kill -${signal} $pid; wait $pid
  echo "left $(ls -A /dev/shm | wc -l)"
  "${process.execPath}" "${main}" doctor | tail -n 1; echo "doctor $?"
  ${command}
  echo "left $(ls -A /dev/shm | wc -l)"`

if (isPossible) {
  for (const signal of ['INT', 'TERM', 'HUP', 'KILL']) {
    test(`the memory of the only process stays after SIG${signal}, is no failure, and gc removes it`, t => {
      const { stdout, stderr } = inNamespace(endedBy(signal, `"${process.execPath}" "${main}" gc`))
      t.regex(
        stdout,
        /^left [2-9]\nclean\ndoctor 0\nfreed 1 dead agent, 1 object .*: lost\nleft 0\n$/,
        stderr,
      )
    })
  }

  test('the line for cron and the line for systemd on the page remove it', t => {
    const [, cron = ''] = /^```cron\n(?:\S+ ){5}(.*)\n/m.exec(page) ?? []
    const [, stop = ''] = /^ExecStopPost=(.*)$/m.exec(page) ?? []
    t.regex(cron, /gc --all$/)
    t.regex(stop, /gc$/)
    for (const command of [cron, stop]) {
      const ours = command
        .replace('cd "$HOME/app"', 'true')
        .replace(/\S*node_modules\/\.bin\/crossmem/, `"${process.execPath}" "${main}"`)
      const { stdout, stderr } = inNamespace(endedBy('INT', ours))
      t.regex(stdout, /: lost\nleft 0\n$/, stderr)
    }
  })

  test('gc --all and ls --all go through all domains', t => {
    const [ls, gc] = ['ls', 'gc'].map(name => `"${process.execPath}" "${main}" ${name} --all --json`)
    const script = endedBy('KILL', `CROSSMEM_DOMAIN=other ${ls}; ${gc}`)
    const { stdout, stderr } = inNamespace(script)
    t.true(stdout.includes(`"domain": "${domain}"`), stderr)
    t.regex(stdout, /"dead": 1,\n/)
    t.regex(stdout, /"names": \[\n +"lost"\n/)
    t.regex(stdout, /left 0\n$/)
  })

  test('doctor sees that /dev/shm became read-only while a process used it', t => {
    const { stdout, stderr } = inNamespace(`
      "${process.execPath}" "${fixture('cli/wait-for-signal')}" & pid=$!
      until ls /dev/shm | grep -q '^lost$'; do sleep 0.01; done
      mount -o remount,ro /dev/shm 2>/dev/null || mount --bind -o ro /dev/shm /dev/shm
      "${process.execPath}" "${main}" doctor; echo "doctor $?"
      kill -KILL $pid`)
    t.regex(`${stdout}${stderr}`, /read-only/)
    t.regex(stdout, /^doctor 1$/m)
  })
} else {
  test.skip('what the page says of cron and systemd (skipped: no mount namespace to be had)', () => undefined)
}
