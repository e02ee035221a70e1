export { NaT, toDate } from './datetime.js'
export {
  checkDType,
  checkUsable,
  dtypeAs,
  dtypeInfo,
  dtypeOfTypedArray,
  dtypeText,
  type ReadDType,
  readDType,
  type Swapped,
} from './dtype.js'
export type { Descr, DTypeInfo } from './dtype-info.js'
export type {
  DTypeFrom,
  DTypeLike,
  NumericCode,
  NumericDTypeOf,
  StructFieldLike,
  StructLayout,
  TypeCode,
} from './dtype-like.js'
export { flattenNested, type Nested } from './nested.js'
export { numericDTypes } from './numbers.js'
export { pythonString } from './python-string.js'
export { checkShape, contiguousStrides, MAX_DIMS, type Order, shapeProblem, sizeOf } from './shape.js'
export { checkNumericDType } from './spelling.js'
export type * from './types.js'
export { NDView, type Range } from './view.js'
