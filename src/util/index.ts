export {
  isAbortSignal,
  isArrayBuffer,
  isMap,
  isThenable,
  isUint8Array,
  isURL,
  typedArrayName,
} from './brands.js'
export { bytesOf } from './bytes.js'
export { checkBoolean, checkCount, checkFunction } from './checks.js'
export { asyncDispose, dispose } from './dispose.js'
export { type InspectionArguments, inspection, readable, showAs } from './inspection.js'
export { madeCode } from './made-code.js'
export { checkOptions, type OptionNames } from './options.js'
export { areOwn, hasOnly } from './own-names.js'
export { show } from './show.js'
export { checkSpan } from './span.js'
export { STAYS, stays } from './stays.js'
