import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { domain, hold, leave, leaveNothing, test } from '../contracts/command.js'
import { unique } from '../helpers/domain.js'
import { crossmem, json, main } from '../processes/command.js'
import { hasTerminal } from '../processes/terminal.js'

leaveNothing()

test('top prints once where there is no terminal, and counts what happened between its looks', async t => {
  const name = unique('array')
  const holder = await hold(name, { shape: [4] })
  const { code, stdout } = await crossmem('top', '--interval', '0.01')
  t.is(code, 0)
  t.regex(stdout, new RegExp(`^domain "${domain}": 1 agent, 1 object, .* free\n.*RATE.*\n${name} +NDArray`))
  t.like((await json('top', '--interval', '0.01')).data, {
    seconds: 0.01,
    objects: [{ name, rate: { perSecond: 0, unit: 'updates/s' }, heldFor: null, waitingFor: null }],
  })
  for (const interval of ['0', '-1', 'x', '1e9']) {
    t.is((await crossmem('top', `--interval=${interval}`)).code, 2)
  }
  await leave(holder)
})

const testTerminal = hasTerminal ? test : test.skip

testTerminal(
  'top redraws on a terminal of 80 columns until q, and leaves the terminal as it was',
  async t => {
    const name = unique('a-very-long-name'.repeat(8))
    const holder = await hold(name, { shape: [4] })
    const command = `stty cols 80 rows 24; '${process.execPath}' '${main}' top --interval 0.05`
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, NO_COLOR: '1' } })
    let drawn = ''
    let isTold = false
    child.stdout.on('data', (text: Buffer) => {
      drawn += text.toString()
      // The third picture: it was redrawn.
      if (!isTold && drawn.split('q quits').length > 3) isTold = child.stdin.write('q')
    })
    const [code] = await once(child, 'close')
    t.is(code, 0)
    t.true(drawn.includes('\x1b[?1049h') && drawn.trimEnd().endsWith('\x1b[?1049l'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
    const lines = drawn.split('\r\n').map(line => line.replace(/\x1b\[[?\d]*[A-Za-z]/g, ''))
    t.true(lines.some(line => /^a-very-long.*…/.test(line)))
    t.deepEqual(
      lines.filter(line => line.length > 80),
      [],
    )
    await leave(holder)
  },
)
