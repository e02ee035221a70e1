// A map and an array in a thread of their own, for comlink.
import { parentPort } from 'node:worker_threads'

const { expose } = require('comlink') as typeof import('comlink')
const adapt = require('comlink/dist/umd/node-adapter') as (port: unknown) => import('comlink').Endpoint

const scores = new Map<string, unknown>([['a', 'hello world']])
let items: unknown[] = []

expose(
  {
    get: (key: string) => scores.get(key),
    push: (item: unknown) => items.push(item),
    clear() {
      items = []
    },
  },
  adapt(parentPort),
)
