import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ava from 'ava'
import { list } from 'crossmem'
import { runExample } from '../helpers/examples.js'
import { root } from '../helpers/paths.js'

const test = ava.serial

/** The JavaScript blocks of a page, each with the text block that says what it prints. */
function examples(page: string): { code: string; prints: string }[] {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/```js\n(.*?)```(?:\s*```text\n(.*?)```)?/gs)
  return [...blocks].map(([, code = '', prints = '']) => ({ code, prints }))
}

const pages = [
  'arrays',
  'locks',
  'queues',
  'processes',
  'domains',
  'errors',
  'troubleshooting',
  'crash-safety',
]

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
      t.is(await runExample(code), prints)
      t.deepEqual(list(), [])
    })
  }
}
