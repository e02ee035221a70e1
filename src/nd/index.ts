export { NaT, toDate } from './datetime.js'
export {
  asStorage,
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
export type { Descr, DTypeInfo, FieldInfo } from './dtype-info.js'
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
export { readField, writeField } from './struct.js'
export type * from './types.js'
export { isNDView, NDView, type Range } from './view.js'
