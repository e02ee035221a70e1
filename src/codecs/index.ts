export { decodeApart, encodeApart, type Locate, type Piece } from './apart.js'
export type { BoundCodec } from './bind.js'
export { type Codec, type CodecOption, codecFor, codecOf } from './codec.js'
export type { StructureList } from './structures.js'
