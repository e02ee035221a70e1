import vm from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { NaT, toDate } from '../../src/nd/datetime.js'
import { checkDType, dtypeInfo } from '../../src/nd/dtype.js'
import type { DatetimeDType, DType } from '../../src/nd/types.js'
import { NDView } from '../../src/nd/view.js'

const refuses = (t: ExecutionContext, code: string, message: RegExp, run: () => unknown) =>
  t.throws(run, { instanceOf: CrossmemError, code, message })

/** One element of a dtype. */
function element<D extends DType>(dtype: D): NDView<D> {
  const { Storage, lanes } = dtypeInfo(dtype)
  return new NDView({ data: new Storage(lanes), dtype, shape: [] } as never)
}

test('units, also several of them, have one spelling', t => {
  const spelled: Record<string, string> = {
    'M8[ns]': 'datetime64[ns]',
    '<M8[25s]': 'datetime64[25s]',
    '<m8[1D]': 'timedelta64[D]',
    'datetime64[ 025s]': 'datetime64[25s]',
    'M8[+7D]': 'datetime64[7D]',
    'm8[μs]': 'timedelta64[us]',
    M8: 'datetime64',
    m: 'timedelta64',
    'm8[generic]': 'timedelta64',
    timedelta64: 'timedelta64',
    'M8[2147483647as]': 'datetime64[2147483647as]',
  }
  for (const [spelling, dtype] of Object.entries(spelled)) t.is(checkDType(spelling as never), dtype as never)
  for (const bad of ['M8[0s]', 'M8[-1s]', 'M8[s ]', 'M8[]', 'M8[B]', 'M4[s]', 'M8[2147483648s]', 'M8[s/2]'])
    refuses(t, 'ERR_INVALID_ARG', /one of bool/, () => checkDType(bad as never))
})

test('a Date becomes a number of units, rounded down, and comes back', t => {
  const date = new Date('2024-05-06T07:08:09.123Z')
  const before = new Date('1969-12-31T23:59:59.999Z')
  const expected: Record<string, [bigint, string, bigint]> = {
    Y: [54n, '2024-01-01T00:00:00.000Z', -1n],
    M: [652n, '2024-05-01T00:00:00.000Z', -1n],
    W: [2835n, '2024-05-02T00:00:00.000Z', -1n],
    D: [19849n, '2024-05-06T00:00:00.000Z', -1n],
    h: [476383n, '2024-05-06T07:00:00.000Z', -1n],
    m: [28582988n, '2024-05-06T07:08:00.000Z', -1n],
    s: [1714979289n, '2024-05-06T07:08:09.000Z', -1n],
    ms: [1714979289123n, date.toISOString(), -1n],
    us: [1714979289123000n, date.toISOString(), -1000n],
    ns: [1714979289123000000n, date.toISOString(), -1000000n],
    '25s': [68599171n, '2024-05-06T07:07:55.000Z', -1n],
    '10Y': [5n, '2020-01-01T00:00:00.000Z', -1n],
  }
  for (const [unit, [count, iso, negative]] of Object.entries(expected)) {
    const dtype = `datetime64[${unit}]` as DatetimeDType
    const view = element(dtype)
    t.is(view.set(date as never).get(), count, unit)
    t.is(toDate(count, dtype).toISOString(), iso, unit)
    t.is(view.set(before as never).get(), negative, unit)
    t.is(view.set(vm.runInNewContext('new Date(0)') as never).get(), 0n, 'of another realm')
    t.is(view.set(new Date(Number.NaN) as never).get(), NaT)
  }
  t.is(toDate(-1n, 'datetime64[ns]').getTime(), -1)
  t.is(toDate(-1n, 'datetime64[M]').toISOString(), '1969-12-01T00:00:00.000Z')
  t.is(toDate(-1970n, 'datetime64[Y]').toISOString(), '0000-01-01T00:00:00.000Z')
  t.true(Number.isNaN(toDate(NaT, 'datetime64[s]').getTime()))
})

test('what is no moment is refused, and changes nothing', t => {
  const moment = element('datetime64[ns]').set(5n)
  for (const bad of [
    2n ** 63n,
    -(2n ** 63n) - 1n,
    0.5,
    Number.NaN,
    2 ** 53,
    '2024-01-01',
    null,
    undefined,
    {},
    true,
  ])
    refuses(t, 'ERR_INVALID_ARG', /a bigint of 64 bits, a safe integer or a Date/, () =>
      moment.set(bad as never),
    )
  refuses(t, 'ERR_INVALID_ARG', /64 bits of ns/, () => moment.set(new Date('2300-01-01')))
  refuses(t, 'ERR_INVALID_ARG', /no unit/, () => element('datetime64').set(new Date(0)))
  refuses(t, 'ERR_INVALID_ARG', /safe integer, got/, () =>
    element('timedelta64[s]').set(new Date(0) as never),
  )
  t.is(moment.get(), 5n)
  t.is(moment.set(-7).get(), -7n)
  refuses(t, 'ERR_OUT_OF_RANGE', /no Date reaches/, () => toDate(2n ** 62n, 'datetime64[s]'))
  refuses(t, 'ERR_OUT_OF_RANGE', /no Date reaches/, () => toDate(2n ** 62n, 'datetime64[Y]'))
  for (const dtype of ['datetime64', 'timedelta64[s]', 'datetime64[x]', 'float64', null])
    refuses(t, 'ERR_INVALID_ARG', /datetime64 with a unit/, () => toDate(0n, dtype as never))
  refuses(t, 'ERR_INVALID_ARG', /a bigint/, () => toDate(0 as never, 'datetime64[s]'))
})

test('moments and spans print as NumPy prints them', t => {
  const printed: [DType, bigint, string][] = [
    ['datetime64[Y]', 54n, "'2024'"],
    ['datetime64[M]', 652n, "'2024-05'"],
    ['datetime64[W]', 2835n, "'2024-05-02'"],
    ['datetime64[D]', 19849n, "'2024-05-06'"],
    ['datetime64[h]', 476383n, "'2024-05-06T07'"],
    ['datetime64[m]', 28582988n, "'2024-05-06T07:08'"],
    ['datetime64[s]', -1n, "'1969-12-31T23:59:59'"],
    ['datetime64[ms]', -1n, "'1969-12-31T23:59:59.999'"],
    ['datetime64[us]', -1n, "'1969-12-31T23:59:59.999999'"],
    ['datetime64[ns]', 1n, "'1970-01-01T00:00:00.000000001'"],
    ['datetime64[as]', 1n, "'1970-01-01T00:00:00.000000000000000001'"],
    ['datetime64[25s]', 2n, "'1970-01-01T00:00:50'"],
    ['datetime64[s]', NaT, "'NaT'"],
    ['datetime64', 7n, "'7'"],
    ['timedelta64[s]', -3n, '-3'],
    ['timedelta64[s]', NaT, "'NaT'"],
  ]
  for (const [dtype, count, text] of printed) t.is(String(element(dtype).set(count as never)), text)
})
