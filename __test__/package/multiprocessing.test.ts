import '../helpers/domain.js'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import ava from 'ava'
import { list } from 'crossmem'
import { compiled, root } from '../helpers/paths.js'
import { python, pythonTest } from '../helpers/python.js'

const exec = promisify(execFile)
const folder = join(root, 'examples', 'multiprocessing')
const examples = readdirSync(folder).flatMap(file => (file.endsWith('.ts') ? [basename(file, '.ts')] : []))

/** Where several processes print, in which order they do is up to the system. */
const unordered = new Set(['lock', 'subtotals-until-exit', 'workers'])

async function lines(program: string, file: string, example: string): Promise<string[]> {
  const { stdout, stderr } = await exec(program, [file])
  if (stderr !== '') throw new Error(stderr)
  const printed = stdout.trimEnd().split('\n')
  return unordered.has(example) ? printed.toSorted() : printed
}

ava('each program has its twin', t => {
  t.true(examples.length >= 18)
  t.deepEqual(
    readdirSync(folder).toSorted(),
    examples.flatMap(example => [`${example}.py`, `${example}.ts`]).toSorted(),
  )
})

for (const example of examples) {
  pythonTest(`${example}.ts prints what ${example}.py prints`, async t => {
    const printed = await lines(
      process.execPath,
      compiled('examples', 'multiprocessing', `${example}.js`),
      example,
    )
    const python3 = python().path as string
    t.deepEqual(printed, await lines(python3, join(folder, `${example}.py`), example))
    t.deepEqual(list(), [])
  })
}
