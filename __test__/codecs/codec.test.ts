import test from 'ava'
import { type Codec, type CodecOption, codecFor, codecOf } from '../../src/codecs/codec.js'
import { builtIn, travel } from '../contracts/codec.js'

const rot13 = {
  encode: (text: string) => Buffer.from(text).map(byte => byte ^ 13),
  decode: (bytes: Uint8Array) => Buffer.from(bytes.map(byte => byte ^ 13)).toString(),
}

test('a custom codec is called, and its errors are reported', t => {
  t.is(travel(rot13 as Codec, 'hello'), 'hello')
  const identity: Codec = { encode: value => value as Uint8Array, decode: bytes => bytes }
  t.deepEqual(travel(identity, Uint8Array.of(1, 2, 3)), Uint8Array.of(1, 2, 3), 'the bytes are its own')
  const error = new Error('no')
  const fails = () => {
    throw error
  }
  const failing = codecFor<unknown>({ name: 'failing', encode: fails, decode: fails })
  t.is(t.throws(() => failing.encode(1), { code: 'ERR_INVALID_ARG', message: /no/ })?.cause, error)
  t.is(
    t.throws(() => failing.decode(Uint8Array.of(1)), { code: 'ERR_CORRUPT', message: /"failing"/ })?.cause,
    error,
  )
  const wrong = codecFor<unknown>({ encode: () => 'text' as never, decode: fails })
  t.throws(() => wrong.encode(1), { code: 'ERR_INVALID_ARG', message: /Uint8Array/ })
  class WithState implements Codec<number> {
    #by = 2
    encode(value: number): Uint8Array {
      return Uint8Array.of(value * this.#by)
    }
    decode(bytes: Uint8Array): number {
      return (bytes[0] as number) / this.#by
    }
  }
  t.is(travel(new WithState() as Codec, 21), 21)
})

test('codecs have numbers', t => {
  t.deepEqual(
    [undefined, ...builtIn, rot13].map(option => codecFor(option as CodecOption<unknown>).id),
    [1, 1, 2, 3, 16],
  )
  const ids = Array.from({ length: 1000 }, (_, i) => codecFor({ ...rot13, name: `codec ${i}` }).id)
  t.is(new Set(ids).size, 1000)
  t.true(ids.every(id => Number.isSafeInteger(id) && id > 16 && id < 2 ** 48))
  t.is(codecFor({ ...rot13, name: 'rot13' }).id, codecFor({ ...rot13, name: 'rot13' }).id)
})

test('options that name no codec are refused', t => {
  for (const option of [
    'yaml',
    'toString',
    '',
    1,
    null,
    {},
    { encode() {} },
    { ...rot13, name: 1 },
    { ...rot13, name: '' },
  ]) {
    t.throws(() => codecFor(option as never), { code: 'ERR_INVALID_ARG', message: /codec/ })
  }
})

test('an existing queue is opened with its codec', t => {
  for (const name of builtIn) {
    const { id } = codecFor(name)
    t.is(codecOf(id, undefined, 'q'), codecFor(name))
    t.is(codecOf(id, name, 'q'), codecFor(name))
  }
  const named: Codec<string> = { ...rot13, name: 'rot13' }
  const unnamed: Codec<string> = rot13
  for (const codec of [named, unnamed]) t.is(codecOf(codecFor(codec).id, codec, 'q').id, codecFor(codec).id)
  const refused: [number, CodecOption<string> | undefined, RegExp][] = [
    [1, 'json', /"q" is 'msgpack', not 'json'; pass that, or none/],
    [3, named, /"q" is 'json', not the custom one "rot13"/],
    [16, undefined, /"q" is a custom one without a name; pass the one/],
    [16, 'v8', /"q" is a custom one without a name, not 'v8'; pass/],
    [16, named, /a custom one without a name, not the custom one "rot13"/],
    [codecFor(named).id, undefined, /"q" is a custom one with a name of its own; pass/],
    [codecFor(named).id, unnamed, /with a name of its own, not a custom one without a name; pass/],
    [
      codecFor(named).id,
      { ...named, name: 'other' },
      /with a name of its own, not the custom one "other"; pass/,
    ],
  ]
  for (const [id, wanted, message] of refused) {
    t.throws(() => codecOf(id, wanted, 'q'), { code: 'ERR_INVALID_ARG', message })
  }
  for (const id of [0, 4, 15, -1, Number.NaN])
    t.throws(() => codecOf(id, undefined, 'q'), { code: 'ERR_UNSUPPORTED' })
  t.throws(() => codecOf(1, 'yaml' as never, 'q'), { code: 'ERR_INVALID_ARG', message: /yaml/ })
})
