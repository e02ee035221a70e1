import '../helpers/domain.js'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { root } from '../helpers/paths.js'

const page = readFileSync(join(root, 'docs', 'command-line.md'), 'utf8')
const domain = process.env.CROSSMEM_DOMAIN as string

/** What the page shows in blocks of a language. */
const blocksOf = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block)

/** The commands of the page, each with the output that stands below it, in order. */
const commands = blocksOf('console').flatMap(block =>
  block.split(/^\$ /m).flatMap(part => {
    const [command = '', ...output] = part.split('\n')
    return command === '' ? [] : [{ command, output: output.join('\n') }]
  }),
)

/** The page has a domain, a user, a process id and free memory of its own. */
const asOnPage = (output: string, pid: number): string =>
  output
    .replace(/\.crossmem-\w+-v\d+-/g, '.crossmem-1000-v8-')
    .replaceAll(` --domain ${domain}`, '')
    .replaceAll(domain, 'default')
    .replaceAll(String(pid), '4711')
    .replace(/[\d.]+ \w+ free of [\d.]+ \w+/g, '7.8 GiB free of 7.8 GiB')
    .replace(/\(\/.*memory\..*\)/, '(the machine)')

/** Columns are as wide as their cells. */
const squeezed = (output: string): string => output.replace(/ {2,}/g, '  ')

const testOnLinux = process.platform === 'linux' ? test : test.skip

testOnLinux('the commands of docs/command-line.md print what the page says', async t => {
  const program = join(root, 'build', 'readme', 'command-line.mjs')
  mkdirSync(join(root, 'build', 'readme'), { recursive: true })
  writeFileSync(program, blocksOf('js')[0] ?? '')
  const child = spawn(process.execPath, [program], { stdio: 'inherit' })
  const pid = child.pid as number
  t.teardown(() => child.kill('SIGKILL'))

  const main = join(root, 'dist', 'cli', 'main.js')
  const shell = (command: string) =>
    spawnSync('sh', ['-c', command.replace(/^crossmem/, `"${process.execPath}" "${main}"`)], {
      encoding: 'utf8',
    })
  while (!shell('crossmem inspect valve').stdout.includes(`held      ${pid}`)) await sleep(10)

  let status: number | null = 0
  t.true(commands.length > 0)
  for (const { command, output } of commands) {
    if (command === 'echo $?') {
      t.is(`${status}\n`, output)
      continue
    }
    const isEnd = command.startsWith('kill')
    const ran = shell(command.replace('4711', String(pid)))
    if (isEnd) while (child.signalCode === null) await sleep(10)
    status = ran.status
    t.is(squeezed(asOnPage(ran.stdout, pid)), squeezed(output), command)
  }
})
