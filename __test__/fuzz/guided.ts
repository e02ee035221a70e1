// A fuzzer: changes inputs at random and keeps those that get further, as V8's own coverage shows.
//
//   node build/__test__/fuzz/guided.js TARGET SECONDS FOLDER
//
// Reads the corpus and what is in FOLDER, and writes to FOLDER what gets further. FOLDER/current is
// the input that is being tried, to be found when this process crashes or hangs. Says once a second
// how far it is.
import '../helpers/domain.js'
import { createHash } from 'node:crypto'
import { openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { random } from '../helpers/random.js'
import { corpusOf, vary } from './corpus.js'
import { targets } from './targets.js'

const [, , target = '', seconds = '', folder = ''] = process.argv
const run = targets[target] as (input: Uint8Array) => void
/** Inputs between two readings of the coverage. */
const BATCH = 200
/** Whose code is covered. */
const OURS = /[\\/](dist|build[\\/]src|node_modules[\\/]@petamoriken)[\\/]/

interface Profile {
  result: {
    url: string
    functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[]
  }[]
}

const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

/** The pieces of code that ran since the last reading. */
function covered(): Set<string> {
  const pieces = new Set<string>()
  session.post('Profiler.takePreciseCoverage', (_, profile) => {
    for (const { url, functions } of (profile as unknown as Profile).result) {
      if (!OURS.test(url)) continue
      for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
        if (count > 0) pieces.add(`${url}:${startOffset}:${endOffset}`)
      }
    }
  })
  return pieces
}

const current = openSync(join(folder, 'current'), 'w')

function attempt(input: Buffer): void {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(input.length)
  writeSync(current, Buffer.concat([length, input]), 0, 4 + input.length, 0)
  run(input)
}

const kept = readdirSync(folder).filter(file => file !== 'current')
const inputs = [...corpusOf(target), ...kept.map(file => readFileSync(join(folder, file)))]
inputs.forEach(attempt)
const seen = covered()

const end = Date.now() + 1000 * Number(seconds)
const below = random(Date.now() | 0)
let executions = inputs.length
for (let said = 0; said < end; ) {
  const batch = Array.from({ length: BATCH }, () => vary(inputs, below))
  batch.forEach(attempt)
  executions += BATCH
  keep(batch)
  if (Date.now() - said < 1000) continue
  said = Date.now()
  process.send?.({ executions, coverage: seen.size, corpus: inputs.length })
}
process.disconnect?.()

/** Keeps those of them that got further. */
function keep(batch: Buffer[]): void {
  const fresh = new Set([...covered()].filter(piece => !seen.has(piece)))
  for (const input of fresh.size > 0 ? batch : []) {
    attempt(input)
    const its = [...covered()].filter(piece => fresh.delete(piece))
    if (its.length === 0) continue
    for (const piece of its) seen.add(piece)
    inputs.push(input)
    writeFileSync(join(folder, createHash('sha1').update(input).digest('hex').slice(0, 16)), input)
  }
  // Code that ran only once, such as a first call, is due to no input.
  for (const piece of fresh) seen.add(piece)
}
