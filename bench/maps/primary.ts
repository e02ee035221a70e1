// The primary of a cluster: has a map, and answers what its worker asks over the IPC channel.
import type { Asked } from './asked.js'

const map = new Map<string, unknown>()

process.on('message', ({ id, key, value }: Asked) => {
  if (value !== undefined) map.set(key, value)
  process.send?.({ id, value: map.get(key) })
})
