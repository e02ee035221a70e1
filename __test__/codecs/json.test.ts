import test from 'ava'
import { codecFor } from '../../src/codecs/codec.js'
import { cyclic, same, testCodec, travel } from '../contracts/codec.js'

testCodec('json')

test('json is what JSON.stringify makes, and reads back as such', t => {
  const value = { a: [1, null, 'Zürich \ud800 🦀'], b: undefined, date: new Date(0), nan: Number.NaN, f() {} }
  const codec = codecFor<unknown>('json')
  t.is(Buffer.from(codec.encode(value)).toString(), JSON.stringify(value))
  same(t, travel('json', value), JSON.parse(JSON.stringify(value)))
  same(t, travel('json', null), null)
  const back = travel('json', JSON.parse('{ "__proto__": { "polluted": true } }')) as object
  t.is(Object.getPrototypeOf(back), Object.prototype)
  t.throws(() => codec.encode(undefined), { code: 'ERR_INVALID_ARG', message: /JSON has no undefined/ })
  t.throws(() => codec.encode(() => 1), { code: 'ERR_INVALID_ARG', message: /JSON has no function/ })
  t.throws(() => codec.encode({ a: [{ f() {} }, { b: 1n }] }), {
    code: 'ERR_INVALID_ARG',
    message: /^value\.a\[1\]\.b /,
  })
  t.throws(() => codec.encode(cyclic), { code: 'ERR_INVALID_ARG' })
})
