import test from 'ava'
import { codecFor } from '../../src/codecs/codec.js'
import { same, testClone, testCodec, travel } from '../contracts/codec.js'

testClone('msgpack')
testCodec('msgpack')

test('msgpack is MessagePack for plain data', t => {
  const { encode } = codecFor<unknown>('msgpack')
  const hex = (value: unknown) => Buffer.from(encode(value)).toString('hex')
  t.is(hex({ id: 1, tags: ['a', null] }), '82a2696401a47461677392a161c0')
  t.is(hex([true, -1, 300, 'é']), '94c3ffcd012ca2c3a9')
  t.is(hex(Buffer.from('ab')), 'c4026162')
})

test('a value is encoded by a getter of another one', t => {
  const { encode } = codecFor<unknown>('msgpack')
  let length = 0
  const value = {
    before: 'x'.repeat(5000),
    get inner() {
      length = encode({ long: 'y'.repeat(3_000_000) }).length
      return length
    },
    after: 'z'.repeat(5000),
  }
  same(t, travel('msgpack', value), { before: value.before, inner: length, after: value.after })
})
