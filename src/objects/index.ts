export { handlesMade, isMadeAfter, noteBirth } from './births.js'
export {
  CREATE_OPTIONS,
  type CreateOptions,
  checkCreateOptions,
  checkMaker,
  createObject,
  createOptions,
  existsAs,
  openOrCreate,
} from './create.js'
export { factsOf, Handle } from './handle.js'
export { checkName, Segment, unlessHidden } from './segment.js'
export type { Held, SharedObject, WaitKind } from './shared-object.js'
export { whenCreated } from './when-created.js'
