// What a worker runs that is a thread.

import { parentPort, workerData } from 'node:worker_threads'
import type { SharedMemory } from '../memory/index.js'
import '../managed.js'
import type { Pipe } from '../queues/index.js'
import type { Setup, Wire } from './messages.js'
import { fromWire } from './wire.js'
import { serve } from './worker-main.js'

const { wire, sender } = workerData as { wire: Wire; sender: number | null }
const [pipe, memory, setup] = fromWire(wire, sender).list as [Pipe, SharedMemory, Setup]
parentPort?.postMessage('opened')
void serve(pipe, memory, setup)
