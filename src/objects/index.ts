export {
  type CreateOptions,
  checkCreateOptions,
  checkMaker,
  createObject,
  existsAs,
  openOrCreate,
} from './create.js'
export { Handle } from './handle.js'
export { checkName, Segment, unlessHidden } from './segment.js'
export type { Held, SharedObject, WaitKind } from './shared-object.js'
