// An array of 100 × 100 bytes that a child shows, as in image.py.
import { NDArray, Process, parentProcess } from 'crossmem'

export const show = (image: NDArray<'uint8'>): void => {
  const sum = image.data.reduce((total, pixel) => total + pixel, 0)
  console.log(`(${image.shape.join(', ')}) ${image.dtype} ${sum}`)
  // NumPy writes three dots.
  console.log(String(image).replaceAll('…', '...'))
}

async function main(): Promise<void> {
  using image = NDArray.create(null, { shape: [100, 100], dtype: 'uint8' })
  for (const i of image.data.keys()) image.data[i] = i % 251
  await Process.start(__filename, { run: 'show', args: [image] }).join()
}

if (!parentProcess()) void main()
