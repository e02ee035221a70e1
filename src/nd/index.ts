export {
  asStorage,
  checkDType,
  type DType,
  type DTypeInfo,
  type DTypeOf,
  dtypeOfTypedArray,
  dtypes,
  type Scalar,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
  type TypedArray,
} from './dtype.js'
export { flattenNested, type Nested } from './nested.js'
export { checkShape, contiguousStrides, MAX_DIMS, type Order, shapeProblem, sizeOf } from './shape.js'
export { NDView, type Range } from './view.js'
