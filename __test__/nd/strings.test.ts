import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { checkDType } from '../../src/nd/dtype.js'
import { NDView } from '../../src/nd/view.js'

const refuses = (t: ExecutionContext, message: RegExp, run: () => unknown) =>
  t.throws(run, { instanceOf: CrossmemError, code: 'ERR_INVALID_ARG', message })

const bytes = (data = new Uint8Array(9)) => new NDView({ data, dtype: 'S3', shape: [3] })
const strings = (data = new Uint32Array(9)) => new NDView({ data, dtype: 'U3', shape: [3] })

test('byte strings are bytes without the NULs that pad them', t => {
  const view = bytes()
  t.deepEqual(view.get(0), Buffer.alloc(0))
  view
    .set(1, 'abc')
    .set(1, 'x')
    .set(2, Uint8Array.of(0, 255, 0))
  t.deepEqual(view.get(1), Buffer.from('x'))
  t.deepEqual(view.get(2), Buffer.of(0, 255))
  t.deepEqual([...view.data], [0, 0, 0, 0x78, 0, 0, 0, 255, 0])
  t.is(String(view), "[b'' b'x' b'\\x00\\xff']")
  const found = view.get(1)
  found[0] = 1
  t.is(view.get(1).toString(), 'x', 'what get() returns is a copy')
  t.deepEqual(view.strides, [1])
  t.deepEqual(
    view
      .subarray([1])
      .fill('é'.length === 1 ? 'ab' : '')
      .toNested(),
    [Buffer.from('ab'), Buffer.from('ab')],
  )
})

test('strings are code points without the NULs that pad them', t => {
  const view = strings()
  view.set(0, '😀é').set(1, 'abc').set(1, 'd').set(2, '\ud800x')
  t.deepEqual(view.toNested(), ['😀é', 'd', '\ud800x'])
  t.deepEqual([...view.data], [0x1f600, 0xe9, 0, 0x64, 0, 0, 0xd800, 0x78, 0])
  t.is(String(view.subarray([0, 2])), "['😀é' 'd']")
  t.is(String(view.subarray([1, 2]).fill(`'"`)), `['\\'"']`)
  view.data.set([0x110000, 0xffffffff, 0x41])
  t.is(view.get(0), '\ufffd\ufffdA', 'what is no code point')
})

test('what is too long is refused with its length, and what is no string, and changes nothing', t => {
  const some = bytes().fill('abc')
  refuses(t, /'abcd' has 4 bytes, too many for S3; cut it, or use the dtype S4/, () => some.set(0, 'abcd'))
  refuses(t, /4 bytes/, () => some.set(0, new Uint8Array(4)))
  refuses(t, /ASCII/, () => some.set(0, 'é'))
  for (const bad of [1, null, undefined, ['a'], new Uint16Array(1), {}])
    refuses(t, /bytes or a string/, () => some.set(0, bad as never))
  t.deepEqual(some.toNested(), new Array(3).fill(Buffer.from('abc')))
  const text = strings().fill('abc')
  refuses(t, /has 4 code points, too many for U3; cut it, or use the dtype U4/, () => text.set(0, 'ab😀d'))
  t.is(text.set(0, '😀😀😀').get(0), '😀😀😀')
  for (const bad of [1, null, undefined, ['a'], Buffer.from('a'), {}])
    refuses(t, /a string/, () => text.set(1, bad as never))
  t.deepEqual(text.toNested(), ['😀😀😀', 'abc', 'abc'])
})

test('lengths are those that NumPy has', t => {
  t.is(checkDType('<U5'), 'U5')
  t.is(checkDType('|S5'), 'S5')
  t.is(checkDType('S+05' as never), 'S5' as never)
  t.is(checkDType('a5' as never), 'S5' as never)
  for (const bad of ['S', 'U', 'S0', 'U0', 'S-1', 'S2147483648', 'U536870912', 'S1.5', 'str', 'bytes'])
    refuses(t, /one of bool/, () => checkDType(bad as never))
})
