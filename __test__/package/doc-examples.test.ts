import ava from 'ava'
import { list } from 'crossmem'
import { publicApi } from '../helpers/declarations.js'
import { runExample } from '../helpers/examples.js'

const test = ava.serial
// Those of crossmem/redis need a server, and aren't run.
const api = publicApi('index', 'manager', 'map')

test('every exported class has an example', t => {
  const bare = api.filter(({ isClass, examples }) => isClass && examples.length === 0)
  t.deepEqual(
    bare.map(({ name }) => name),
    [],
  )
})

// An inherited member has the example of its base class.
const examples = new Map(api.flatMap(({ name, examples }) => examples.map(example => [example, name])))

for (const [example, name] of examples) {
  test(`the example of ${name} prints what its comments say`, async t => {
    const [, code = ''] = /^```js\n(.*)\n```$/s.exec(example.trim()) ?? []
    const said = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
    t.true(said.length > 0, 'a block of js in which console.log(…) is followed by // and what it prints')
    t.is(await runExample(code), `${said.join('\n')}\n`)
    t.deepEqual(list(), [])
  })
}
