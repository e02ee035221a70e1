// Numbers, arrays and records in shared memory, as in shared-state.py.
import { NDArray, Process, parentProcess, SharedArray, Value } from 'crossmem'

const POINT = [
  ['x', 'float64'],
  ['y', 'float64'],
] as const

export const negate = (number: Value<'float64'>, array: SharedArray<'int32'>): void => {
  number.value = 2.625
  array.data.set(array.data.map(n => -n))
}

export const square = (n: Value<'int32'>, x: Value<'float64'>, points: NDArray<typeof POINT>): void => {
  n.value **= 2
  x.value **= 2
  for (let i = 0; i < points.size; i++) {
    const { x, y } = points.get(i)
    points.set(i, { x: x ** 2, y: y ** 2 })
  }
}

async function main(): Promise<void> {
  const run = (run: string, ...args: unknown[]): Promise<void> =>
    Process.start(__filename, { run, args }).join()
  const list = (numbers: Iterable<unknown>): string => `[${[...numbers].join(', ')}]`

  using number = Value.create(null, 'd', 0)
  using array = SharedArray.create(null, 'i', Array.from({ length: 10 }).keys())
  await run('negate', number, array)
  console.log(number.value)
  console.log(list(array.toArray()))

  using n = Value.create(null, 'i', 7)
  using x = Value.create(null, 'd', 1 / 3)
  using points = NDArray.create(null, { shape: 3, dtype: POINT })
  const pairs = [
    [1.875, -6.25],
    [-5.75, 2.5],
    [2.375, 9.5],
  ] as const
  for (const [i, [x, y]] of pairs.entries()) points.set(i, { x, y })
  await run('square', n, x, points)
  console.log(n.value)
  console.log(x.value)
  console.log(list(pairs.map((_, i) => list(Object.values(points.get(i))))))
}

if (!parentProcess()) void main()
