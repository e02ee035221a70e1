import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { checkShape, sizeOf } from '../../src/nd/shape.js'

const refuses = (t: ExecutionContext, message: RegExp, run: () => unknown) =>
  t.throws(run, { instanceOf: CrossmemError, code: 'ERR_INVALID_ARG', message })

test('shapes from users', t => {
  t.deepEqual(checkShape(5), [5])
  t.deepEqual(checkShape([]), [])
  t.deepEqual(checkShape([2, 0, 3]), [2, 0, 3])
  t.true(Object.is(checkShape([-0])[0], 0))
  const mine = [1, 2]
  t.not(checkShape(mine), mine)
  t.is(sizeOf([2, 3, 4]), 24)
  t.is(sizeOf([]), 1)
  t.is(sizeOf([5, 0]), 0)
  // biome-ignore format: a list to skim
  const bad: unknown[] = [
    -1, 1.5, NaN, Infinity, '3', null, undefined, 3n, {}, new Uint8Array(2), [-1], [1.5], [NaN], ['3'],
    [2n], [null], [[2]], new Array(1), new Array(65).fill(1), [2 ** 27, 2 ** 27], [0, 2 ** 53], [2 ** 53],
  ]
  for (const shape of bad) refuses(t, /is no shape/, () => checkShape(shape))
  t.deepEqual(checkShape([2 ** 50]), [2 ** 50])
  refuses(t, /2\^53/, () => checkShape([2 ** 50], 8))
})
