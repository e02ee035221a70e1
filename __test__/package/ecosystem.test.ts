import '../helpers/domain.js'
import stdlib from '@stdlib/ndarray-ctor'
import * as tf from '@tensorflow/tfjs'
import * as arrow from 'apache-arrow'
import ava from 'ava'
import { NDArray, SharedMemory } from 'crossmem'
import ndarray from 'ndarray'
import sharp from 'sharp'

const test = ava.serial

test('ndarray: shares memory and strides, in both orders', t => {
  for (const order of ['C', 'F'] as const) {
    using array = NDArray.create(null, { shape: [2, 3, 4], dtype: 'float32', order })
    array.set(1, 2, 3, 42)
    const theirs = ndarray(array.data, [...array.shape], [...array.strides])
    t.is(theirs.data, array.data)
    t.is(theirs.data.buffer, array.buffer)
    t.is(theirs.dtype, 'float32')
    t.is(theirs.get(1, 2, 3), 42)
    theirs.set(0, 1, 2, 7)
    t.is(array.get(0, 1, 2), 7)
    t.is(theirs.transpose(2, 1, 0).get(3, 2, 1), 42)
    // A part of ours has gaps, which strides tell.
    const part = array.subarray(1, null, [1, 4])
    const theirPart = ndarray(part.data, [...part.shape], [...part.strides])
    t.is(theirPart.get(2, 2), 42)
  }
})

test('@stdlib/ndarray-ctor: shares memory, strides and order', t => {
  for (const [order, theirOrder] of [
    ['C', 'row-major'],
    ['F', 'column-major'],
  ] as const) {
    using array = NDArray.create(null, { shape: [3, 4], dtype: 'float64', order })
    array.set(2, 1, 0.5)
    const theirs = stdlib('float64', array.data, [...array.shape], [...array.strides], 0, theirOrder)
    t.is(theirs.data, array.data)
    t.is((theirs.data as Float64Array).buffer, array.buffer)
    t.is(theirs.get(2, 1), 0.5)
    theirs.set(0, 3, 9)
    t.is(array.get(0, 3), 9)
    t.deepEqual(theirs.strides, [...array.strides])
  }
})

test('apache-arrow: vectors over our data, without a copy', t => {
  using prices = NDArray.from(null, Float64Array.of(1.5, 2.5, 3.5))
  using stamps = NDArray.from(null, BigInt64Array.of(1n, 2n ** 62n))
  const vector = arrow.makeVector(prices.data)
  t.is(vector.data[0]?.values.buffer, prices.buffer)
  t.is(vector.toArray().buffer, prices.buffer)
  t.deepEqual([...vector], [1.5, 2.5, 3.5])
  prices.set(1, 99)
  t.is(vector.get(1), 99)
  const big = arrow.makeVector(stamps.data)
  t.is(big.data[0]?.values.buffer, stamps.buffer)
  t.is(big.get(1), 2n ** 62n)
})

for (const format of ['stream', 'file'] as const) {
  test(`apache-arrow: a table over an IPC ${format} in a segment, without a copy`, t => {
    const table = arrow.tableFromArrays({
      price: Float64Array.of(1.5, 2.5, 3.5),
      count: Int32Array.of(1, 2, 3),
      city: ['Oslo', 'Bergen', 'Oslo'],
    })
    const bytes = arrow.tableToIPC(table, format)
    using memory = SharedMemory.create(null, bytes.byteLength)
    memory.bytes.set(bytes)
    const read = arrow.tableFromIPC(memory.bytes)
    t.deepEqual(
      read.toArray().map(row => row?.toJSON()),
      [
        { price: 1.5, count: 1, city: 'Oslo' },
        { price: 2.5, count: 2, city: 'Bergen' },
        { price: 3.5, count: 3, city: 'Oslo' },
      ],
    )
    for (const name of ['price', 'count']) {
      t.is(read.getChild(name)?.data[0]?.values.buffer, memory.buffer, name)
    }
    const price = read.getChild('price')?.data[0]?.values as Float64Array
    new Float64Array(memory.buffer, price.byteOffset, 3)[2] = 4.5
    t.is(read.getChild('price')?.get(2), 4.5)
  })
}

test('sharp: takes a uint8 array as raw pixels, and fills one', async t => {
  using image = NDArray.create(null, { shape: [4, 6, 3], dtype: 'uint8' })
  image.subarray([0, 2]).fill(10)
  image.subarray([2, 4]).fill(200)
  image.set(0, 5, 0, 255)
  const raw = { width: 6, height: 4, channels: 3 } as const
  const input = () => sharp(image.data, { raw })

  t.deepEqual(await input().raw().toBuffer(), Buffer.from(image.data))
  const corner = await input().extract({ left: 5, top: 0, width: 1, height: 1 }).raw().toBuffer()
  t.deepEqual([...corner], [255, 10, 10])
  const flipped = await input().flip().raw().toBuffer()
  t.deepEqual([...flipped.subarray(0, 3)], [200, 200, 200])
  // Through a real file format, and back into shared memory.
  const png = await input().png().toBuffer()
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  using copy = NDArray.from(null, data, { shape: [info.height, info.width, info.channels] })
  t.deepEqual(copy.shape, [4, 6, 3])
  t.deepEqual(copy.toNested(), image.toNested())
})

test('@tensorflow/tfjs: computes with our data', async t => {
  using left = NDArray.from(null, Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [2, 3], dtype: 'float32' })
  using right = NDArray.from(null, Int32Array.of(1, 0, 0, 1, 1, 1), { shape: [3, 2], dtype: 'int32' })
  using mask = NDArray.from(null, [true, false, true], { dtype: 'bool' })
  await tf.setBackend('cpu')
  const a = tf.tensor(left.data, [...left.shape])
  const b = tf.tensor(right.data, [...right.shape], 'int32')
  t.is(a.dtype, 'float32')
  t.is(b.dtype, 'int32')
  t.deepEqual(await tf.matMul(a, b.toFloat()).array(), [
    [4, 5],
    [10, 11],
  ])
  t.deepEqual(await tf.tensor(mask.data, [...mask.shape], 'bool').array(), [1, 0, 1])
  // What it computes goes back into shared memory.
  const scaled = await a.mul(2).data<'float32'>()
  left.data.set(scaled)
  t.deepEqual(left.toNested(), [
    [2, 4, 6],
    [8, 10, 12],
  ])
})
