import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ava from 'ava'
import { list } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { root } from '../helpers/paths.js'

const test = ava.serial
const run = promisify(execFile)

/** The JavaScript blocks of a page, each with the text block that says what it prints. */
function examples(page: string): { code: string; prints: string }[] {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/```js\n(.*?)```(?:\s*```text\n(.*?)```)?/gs)
  return [...blocks].map(([, code = '', prints = '']) => ({ code, prints }))
}

const pages = ['arrays', 'locks', 'queues', 'domains', 'errors', 'troubleshooting', 'crash-safety']

for (const page of ['README.md', ...pages.map(name => `docs/${name}.md`)]) {
  const found = examples(page)

  test(`${page} has examples`, t => {
    t.true(found.length >= 4)
    t.true(
      found.every(example => example.prints !== ''),
      'each says what it prints',
    )
  })

  for (const [i, { code, prints }] of found.entries()) {
    test(`example ${i + 1} of ${page} prints what it says`, async t => {
      const folder = join(root, 'build', 'readme')
      const file = join(folder, `${unique('example')}.mjs`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, code)
      const { stdout } = await run(process.execPath, [file])
      t.is(stdout, prints)
      t.deepEqual(list(), [])
    })
  }
}
