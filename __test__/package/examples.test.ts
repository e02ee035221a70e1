import '../helpers/domain.js'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import ava from 'ava'
import { list } from 'crossmem'
import { compiled } from '../helpers/paths.js'

const test = ava.serial
const exec = promisify(execFile)

/**
 * Runs an example to its end; its lines. A result that is wrong makes it exit with 1, which
 * rejects.
 */
async function run(example: string): Promise<string[]> {
  const file = compiled('examples', `${example}.js`)
  const { stdout, stderr } = await exec(process.execPath, [file], { timeout: 120_000, killSignal: 'SIGKILL' })
  if (stderr !== '') throw new Error(stderr)
  return stdout.trimEnd().split('\n')
}

/** What is left of the domain: objects, and the file of the domain itself. */
function leftovers(): string[] {
  const objects = list().map(object => object.name)
  if (process.platform !== 'linux') return objects
  const domain = process.env.CROSSMEM_DOMAIN as string
  return [...objects, ...readdirSync('/dev/shm').filter(file => file.includes(domain))]
}

test('work-queue: the task of a killed worker is done by another one', async t => {
  const lines = await run('work-queue')
  const killed = /^killed worker (\d+) \(SIGKILL\) halfway through task 11$/.exec(lines[0] ?? '')?.[1]
  const heirs = lines.flatMap(line => /^worker (\d+) got task 11 again, and did it$/.exec(line)?.[1] ?? [])
  t.truthy(killed, lines.join('\n'))
  t.is(heirs.length, 1)
  t.not(heirs[0], killed)
  const done = lines.flatMap(line => /^worker \d+: (\d+) tasks done/.exec(line)?.[1] ?? []).map(Number)
  t.is(done.length, 4)
  t.is(
    done.reduce((sum, count) => sum + count, 0),
    40,
  )
  t.true(lines.some(line => line.startsWith(`worker ${killed}: `) && line.endsWith(', then killed')))
  t.is(lines.at(-1), '40 of 40 tasks done, 148933 primes below 2000000, as counted by one process')
  t.deepEqual(leftovers(), [])
})

test('log-collector: a killed writer leaves whole lines, the others are complete', async t => {
  const lines = await run('log-collector')
  t.is(lines[0], 'killed writer 0 (SIGKILL) after 251 of its lines were read')
  const counts = lines.flatMap(line => /^writer \d: (\d+) lines$/.exec(line)?.[1] ?? []).map(Number)
  t.deepEqual(counts.slice(1), [500, 500, 500])
  t.true((counts[0] as number) >= 251 && (counts[0] as number) < 500, lines.join('\n'))
  t.is(lines.at(-1), 'every line of 3 writers is here, and those of the killed one without a gap')
  t.deepEqual(leftovers(), [])
})

test('frame-pipeline: pixels stay where they are, and are right', async t => {
  const lines = await run('frame-pipeline')
  t.is(lines[0], '165.9 MB of pixels passed by, in 4 frames of 2.8 MB')
  const kilobytes = Number(/^the four queues have ([\d.]+) kB in all$/.exec(lines[1] ?? '')?.[1])
  t.true(kilobytes < 1000, lines[1])
  t.is(lines.at(-1), '60 of 60 frames went through three processes in order, and every sum is right')
  t.deepEqual(leftovers(), [])
})
