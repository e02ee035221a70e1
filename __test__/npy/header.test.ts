import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import type { DTypeInfo } from '../../src/nd/dtype-info.js'
import { numericDTypes } from '../../src/nd/numbers.js'
import type { NumericDType, StructDType } from '../../src/nd/types.js'
import { decodeNpyHeader, encodeNpyHeader } from '../../src/npy/header.js'
import { random } from '../helpers/random.js'

const allDTypes = Object.keys(numericDTypes) as NumericDType[]
const latin1 = (text: string) => Uint8Array.from(text, c => c.charCodeAt(0))

/** An .npy header around any dict, sound or not. */
function header(dict: string, version = 1, length = dict.length): Uint8Array {
  const prefix = [0x93, ...Buffer.from('NUMPY'), version, 0, length & 0xff, (length >> 8) & 0xff]
  if (version > 1) prefix.push((length >> 16) & 0xff, length >>> 24)
  return Uint8Array.from([...prefix, ...latin1(dict)])
}
const dict = (descr: string, order: string, shape: string) =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`

const refuses = (t: ExecutionContext, code: string, message: RegExp, run: () => unknown) =>
  t.throws(run, { instanceOf: CrossmemError, code, message })

// What NumPy 2.4 writes: dtype, order, shape, dict, and how many spaces follow it.
const written: [NumericDType, 'C' | 'F', number[], string, number][] = [
  ['float64', 'C', [3, 4], "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }", 58],
  ['complex128', 'C', [3, 4], "{'descr': '<c16', 'fortran_order': False, 'shape': (3, 4), }", 57],
  ['bool', 'C', [3, 4], "{'descr': '|b1', 'fortran_order': False, 'shape': (3, 4), }", 58],
  ['float64', 'C', [], "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 62],
  ['float64', 'C', [5], "{'descr': '<f8', 'fortran_order': False, 'shape': (5,), }", 60],
  [
    'float64',
    'C',
    [1080, 1920, 3],
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1080, 1920, 3), }",
    49,
  ],
  ['float64', 'F', [2, 3], "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", 59],
  ['float64', 'C', [123456789, 0], "{'descr': '<f8', 'fortran_order': False, 'shape': (123456789, 0), }", 50],
  // Where NumPy's padding shows: 64 spaces more though none are needed, and room for the axis that
  // may grow.
  [
    'float64',
    'C',
    new Array(36).fill(1),
    `{'descr': '<f8', 'fortran_order': False, 'shape': (${'1, '.repeat(35)}1), }`,
    84,
  ],
  [
    'float64',
    'F',
    [100000, ...new Array(13).fill(1)],
    `{'descr': '<f8', 'fortran_order': True, 'shape': (100000, ${'1, '.repeat(12)}1), }`,
    82,
  ],
]

test('headers are byte for byte what NumPy writes', t => {
  for (const [dtype, order, shape, text, spaces] of written) {
    const expected = header(`${text}${' '.repeat(spaces)}\n`)
    t.deepEqual(Buffer.from(encodeNpyHeader({ dtype, order, shape })), Buffer.from(expected), text)
    t.is(expected.length % 64, 0)
  }
})

test('every dtype, order and number of axes comes back as it went', t => {
  for (const dtype of allDTypes) {
    for (const order of ['C', 'F'] as const) {
      for (let ndim = 0; ndim <= 6; ndim++) {
        const shape = [3, 1, 4, 2, 5, 7].slice(0, ndim)
        const bytes = encodeNpyHeader({ dtype, shape, order })
        const size = shape.reduce((a, b) => a * b, 1)
        const dataBytes = size * numericDTypes[dtype].itemBytes
        const expected = {
          version: '1.0',
          info: numericDTypes[dtype] as unknown as DTypeInfo,
          swapped: [],
          shape,
          order,
          size,
          dataOffset: bytes.length,
          dataBytes,
        } as const
        t.deepEqual(decodeNpyHeader(bytes, bytes.length + dataBytes), expected)
        t.deepEqual(decodeNpyHeader(new Uint8Array([...bytes, ...new Uint8Array(dataBytes)])), expected)
      }
    }
  }
})

test('as many as 64 axes are encoded and decoded', t => {
  const shape = new Array<number>(64).fill(1)
  t.deepEqual(decodeNpyHeader(encodeNpyHeader({ dtype: 'int8', shape }), 4096).shape, shape)
})

test('versions 2.0 and 3.0, and the ways that older writers had', t => {
  const decode = (text: string, version = 1) => decodeNpyHeader(header(text, version), 100_000)
  t.is(decode(dict("'<f8'", 'False', '(3,)'), 2).dataOffset, 12 + 58)
  t.is(decode(dict("'<f8'", 'False', '(3,)'), 2).version, '2.0')
  t.is(decode(dict("'<f8'", 'False', '(3,)'), 3).version, '3.0')
  t.deepEqual(decode(dict("'<f8'", 'False', '(3L, 4L)')).shape, [3, 4]) // Python 2
  t.deepEqual(decode(`{"shape":(2,),"fortran_order":True,"descr":u'\\x3ci4'}`), {
    version: '1.0',
    info: numericDTypes.int32 as unknown as DTypeInfo,
    swapped: [],
    shape: [2],
    order: 'F',
    size: 2,
    dataOffset: 63,
    dataBytes: 8,
  })
  t.deepEqual(decode(dict("'|u1'", 'False', '\t( 2 ,\n 3\r,\f)')).shape, [2, 3])
})

test('a file that is no .npy is refused', t => {
  const good = encodeNpyHeader({ dtype: 'int8', shape: [] })
  const at = (i: number, byte: number) => Object.assign(good.slice(), { [i]: byte })
  refuses(t, 'ERR_CORRUPT', /NUMPY/, () => decodeNpyHeader(new Uint8Array(0)))
  refuses(t, 'ERR_CORRUPT', /NUMPY/, () => decodeNpyHeader(latin1('PK\x03\x04 a zip file')))
  refuses(t, 'ERR_CORRUPT', /NUMPY/, () => decodeNpyHeader(at(5, 0)))
  refuses(t, 'ERR_CORRUPT', /version is 4\.0/, () => decodeNpyHeader(at(6, 4)))
  refuses(t, 'ERR_CORRUPT', /version is 1\.1/, () => decodeNpyHeader(at(7, 1)))
  for (let length = 0; length < good.length; length++)
    refuses(t, 'ERR_CORRUPT', /valid \.npy/, () => decodeNpyHeader(good.subarray(0, length), 1e6))
})

test('lengths are bounded before they are used', t => {
  const text = dict("'<f8'", 'False', '(3,)')
  refuses(t, 'ERR_CORRUPT', /needs 65545 bytes of/, () => decodeNpyHeader(header(text, 1, 65535), 1e9))
  refuses(t, 'ERR_CORRUPT', /needs 65548 bytes of/, () => decodeNpyHeader(header(text, 2, 65536), 1e9))
  refuses(t, 'ERR_TOO_LARGE', /65537/, () => decodeNpyHeader(header(text, 2, 65537), 1e9))
  refuses(t, 'ERR_TOO_LARGE', /4294967295/, () => decodeNpyHeader(header(text, 3, 0xffffffff), 1e9))
  refuses(t, 'ERR_CORRUPT', /cut off/, () => decodeNpyHeader(header(text), 10 + text.length + 23))
  t.is(decodeNpyHeader(header(text), 10 + text.length + 24).dataBytes, 24)
  t.is(decodeNpyHeader(header(text.padEnd(65536), 2), 1e9).dataOffset, 65548)
})

test('a dict with anything missing, extra, doubled or of the wrong kind is corrupt', t => {
  const broken: [string, RegExp][] = [
    ["{'descr': '<f8', 'shape': (3,)}", /keys/],
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'extra': 1}", /keys/],
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'shape': (4,)}", /'shape' is given twice/],
    ["{'descr': '<f8', 'fortran_order': False, 1: (3,)}", /key must be a string/],
    ["['descr', 'fortran_order', 'shape']", /no dict/],
    [dict("'<f8'", '0', '(3,)'), /fortran_order/],
    [dict("'<f8'", "'False'", '(3,)'), /fortran_order/],
    [dict("'<f8'", 'None', '(3,)'), /fortran_order/],
    [dict("'<f8'", 'False', '[3]'), /tuple/],
    [dict("'<f8'", 'False', '(3)'), /tuple/],
    [dict("'<f8'", 'False', '3'), /tuple/],
    [dict("'<f8'", 'False', "('3',)"), /tuple/],
    [dict("'<f8'", 'False', '(True,)'), /tuple/],
    [dict("'<f8'", 'False', '((3,),)'), /tuple/],
    [dict("'<f8'", 'False', '(3.0,)'), /expected/],
    [dict('None', 'False', '(3,)'), /dtype null/],
    [dict('8', 'False', '(3,)'), /dtype 8 is no type string/],
    [dict("{'a': 1}", 'False', '(3,)'), /type string/],
    [dict("'<f8'", 'False', '(-1,)'), /-1 is no integer from 0 up/],
    [dict("'<f8'", 'False', '(4294967296, 4294967296)'), /2\^53/],
    [dict("'|u1'", 'False', '(9007199254740992,)'), /2\^53/],
    [dict("'<f8'", 'False', '(9007199254740991,)'), /2\^53/],
    [dict("'|u1'", 'False', '(0, 9007199254740991, 2)'), /2\^53/],
    [dict("'|u1'", 'False', `(${'9'.repeat(60_000)},)`), /can't be/],
    ['', /value expected/],
    ['{', /value expected|expected/],
    [`${dict("'<f8'", 'False', '(3,)')}junk`, /nothing more/],
  ]
  for (const [text, message] of broken) {
    refuses(t, 'ERR_CORRUPT', message, () => decodeNpyHeader(header(text), 1e6))
    refuses(t, 'ERR_CORRUPT', message, () => decodeNpyHeader(header(text, 3), 1e6))
  }
  refuses(t, 'ERR_CORRUPT', /UTF-8/, () => decodeNpyHeader(header("{'\xff': 1}", 3), 1e6))
})

test('arrays that only NumPy can hold are unsupported, not corrupt', t => {
  const decode = (text: string) => () => decodeNpyHeader(header(text), 1e6)
  refuses(t, 'ERR_UNSUPPORTED', /Python objects/, decode(dict("'|O'", 'False', '(3,)')))
  refuses(t, 'ERR_UNSUPPORTED', /Python objects/, decode(dict("[('x', '|O')]", 'False', '(3,)')))
  refuses(t, 'ERR_UNSUPPORTED', /array of arrays/, decode(dict("('<f4', (2,))", 'False', '(3,)')))
  refuses(t, 'ERR_UNSUPPORTED', /65 dimensions/, decode(dict("'<f8'", 'False', `(${'1, '.repeat(65)})`)))
})

test('names of fields that are not Latin-1 need version 3.0, and too many need too much', t => {
  const field = (name: string): StructDType => [[name, 'int8']]
  const version = (dtype: StructDType) => decodeNpyHeader(encodeNpyHeader({ dtype, shape: [0] })).version
  t.is(version(field('é')), '1.0')
  t.is(version(field('漢')), '3.0')
  for (const name of ["it's", '"', `'"`, '\\', '\n\x00\xa0', '\u2028', '\ud800', '😀']) {
    const decoded = decodeNpyHeader(encodeNpyHeader({ dtype: field(name), shape: [2] }), 1000)
    t.deepEqual(decoded.info.name as unknown, field(name))
  }
  for (const letter of ['a', '漢']) {
    const most = letter === 'a' ? 65_400 : 21_700
    t.is(version(field(letter.repeat(most))), letter === 'a' ? '1.0' : '3.0')
    refuses(t, 'ERR_TOO_LARGE', /65536 are allowed/, () =>
      encodeNpyHeader({ dtype: field(letter.repeat(most + 200)), shape: [0] }),
    )
  }
})

test('an impossible shape is not encoded', t => {
  refuses(t, 'ERR_INVALID_ARG', /-7 is no integer/, () => encodeNpyHeader({ dtype: 'int8', shape: [-7] }))
})

// biome-ignore format: a list to skim
const tokens = [
  "'", '"', '\\', '(', ')', '[', ']', '{', '}', ',', ':', ' ', '\n', 'L', '-', '0', '9',
  '99999999999999999999', 'True', 'False', 'None', "u'", '\\x3c', "'descr'", "'shape': (1,)", "'|O'",
  "'>f8'", '\0', '\xff', '.5', '(((((((((', '((),)',
]

test('mutated headers decode consistently or are refused, and nothing else', t => {
  const below = random(20240611)
  const pick = <T>(items: readonly T[]) => items[below(items.length)] as T
  const seen = { decoded: 0, refused: 0 }
  for (let round = 0; round < 20_000; round++) {
    const dtype = pick(allDTypes)
    const shape = Array.from({ length: below(5) }, () => below(9))
    const version = 1 + below(3)
    const start = version === 1 ? 10 : 12
    const sound = Buffer.from(encodeNpyHeader({ dtype, shape, order: pick(['C', 'F']) })).toString('latin1')
    let bytes = [...header(sound.slice(10), version)]
    for (let edits = 1 + below(3); edits > 0; edits--) {
      // Mostly within the dict, whose spaces at the end would swallow half of all edits.
      const at = below(8) === 0 ? below(bytes.length) : start + below(60)
      const isDigit = (bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39
      // Digits for digits and white space around punctuation often leave a sound header, with other
      // numbers.
      if (isDigit && below(2) === 0) bytes[at] = 0x30 + below(10)
      else if (' ,:(){}'.includes(String.fromCharCode(bytes[at] as number)))
        bytes.splice(at, 0, pick([0x20, 0x09, 0x0a]))
      else if (below(3) === 0) bytes[at] = below(256)
      else bytes.splice(at, below(4), ...latin1(pick(tokens)))
    }
    if (below(10) === 0) bytes = bytes.slice(0, below(bytes.length))
    const length = bytes.length - start
    // Half of the time the length is made right again, so that the parser gets to see the damage.
    if (below(2) === 0 && length > 0) bytes.splice(8, 2, length & 0xff, length >> 8)
    const input = Uint8Array.from(bytes)
    const total = input.length + below(200_000)
    try {
      const decoded = decodeNpyHeader(input, total)
      seen.decoded++
      const { itemBytes, name: dtype } = decoded.info
      const sound =
        decoded.size === decoded.shape.reduce((a, b) => a * b, 1) &&
        decoded.dataBytes === decoded.size * itemBytes &&
        decoded.dataOffset <= input.length &&
        decoded.dataOffset + decoded.dataBytes <= total
      const again = decodeNpyHeader(encodeNpyHeader({ ...decoded, dtype }), 1e9)
      // The smaller floats are written as raw bytes.
      const isRaw = again.info.raw !== undefined && again.info.itemBytes === itemBytes
      if (
        !sound ||
        JSON.stringify([isRaw ? dtype : again.info.name, again.shape, again.order]) !==
          JSON.stringify([dtype, decoded.shape, decoded.order])
      )
        t.fail(`round ${round}: ${JSON.stringify(decoded)}`)
    } catch (error) {
      seen.refused++
      if (
        !(error instanceof CrossmemError) ||
        !['ERR_CORRUPT', 'ERR_UNSUPPORTED', 'ERR_TOO_LARGE'].includes(error.code)
      )
        t.fail(`round ${round}: ${error}`)
    }
  }
  // Both outcomes must have been met often for this test to mean anything.
  t.true(seen.decoded > 1000, JSON.stringify(seen))
  t.true(seen.refused > 1000, JSON.stringify(seen))
})
