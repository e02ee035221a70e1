import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { root } from '../helpers/paths.js'

/** The codes that a source names in quotes. */
const codesOf = (text: string): string[] => [...new Set(text.match(/(?<=['"])ERR_\w+(?=['"])/g))].sort()

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')

test('each code of the core is a code of CrossmemError', t => {
  const core = codesOf(read('crates', 'core', 'src', 'error.rs'))
  const known = codesOf(read('src', 'errors.ts').split('/** The only error')[0] as string)
  t.true(core.length > 10)
  t.deepEqual(
    core.filter(code => !known.includes(code)),
    [],
  )
})
