import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { PythonTuple, parsePythonLiteral } from '../../src/npy/python-literal.js'

const refuses = (t: ExecutionContext, message: RegExp, run: () => unknown) =>
  t.throws(run, { instanceOf: CrossmemError, code: 'ERR_CORRUPT', message })

test('literals of Python are read', t => {
  const tuple = (...items: ConstructorParameters<typeof PythonTuple>[0]) => new PythonTuple(items)
  t.deepEqual(parsePythonLiteral(' [ 1 , -2L, +3,0, -0 , True,False,None,] '), [
    1n,
    -2n,
    3n,
    0n,
    0n,
    true,
    false,
    null,
  ])
  t.deepEqual(
    parsePythonLiteral('((), (1,), (1), (1, 2), ((1, ), ), [], {})'),
    tuple(tuple(), tuple(1n), 1n, tuple(1n, 2n), tuple(tuple(1n)), [], new Map()),
  )
  t.deepEqual(
    parsePythonLiteral(`{'a"': "b'", "": '', '__proto__': 1,}`),
    new Map<string, string | bigint>([
      ['a"', "b'"],
      ['', ''],
      ['__proto__', 1n],
    ]),
  )
  t.is(
    parsePythonLiteral(String.raw`'\\ \' \" \n\t\r\a\b\f\v \x41\u00e9\U0001F600'`),
    '\\ \' " \n\t\r\x07\b\f\v A\u00e9\u{1F600}',
  )
  t.is(parsePythonLiteral('9'.repeat(50)), 10n ** 50n - 1n)
})

test('anything else is refused', t => {
  // biome-ignore format: a list to skim
  const bad = [
    '', ' ', '(', ')', '(,)', '[,]', '{,}', '(1', '[1 2]', '{1}', "{'a'}", "{'a':}", "{'a':1 'b':2}",
    '{[]:1}', '[1)', '(1]', "'", '"a\'', "'a\nb'", "'\\", String.raw`'\x4'`, String.raw`'\xg0'`,
    String.raw`'\x 1'`, String.raw`'\U00110000'`, String.raw`'\N{DASH}'`, String.raw`'\q'`, "'a' 'b'",
    "b'a'", '1.5', '1e5', '1_000', '0x10', '007', '-', '--1', '- 1', '1l', 'L', 'true', 'Truex', 'nan',
    'f()', '1 # no', '1+2', '*', '\0', '٣', '１',
  ]
  for (const text of bad) refuses(t, /not a Python literal/, () => parsePythonLiteral(text))
})

test('brackets nest 64 deep, and no deeper', t => {
  t.notThrows(() => parsePythonLiteral('['.repeat(64) + ']'.repeat(64)))
  for (const open of ['(', '[', "{'a':", '(['])
    refuses(t, /brackets/, () => parsePythonLiteral(open.repeat(20_000)))
})
