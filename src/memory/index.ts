export { SharedMemory } from './shared-memory.js'
