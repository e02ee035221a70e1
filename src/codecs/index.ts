export { type BoundCodec, type Codec, type CodecOption, codecFor, codecOf } from './codec.js'
