export type { ListItem } from './list-items.js'
export { ShareableList, type ShareableListOptions } from './shareable-list.js'
export { SharedMemory } from './shared-memory.js'
