import { raw2, raw3, raw4 } from './raw.js'

/** Records of channels, by raw calls: their bytes go over the pad. */
export const nativeRecords = {
  pushRecord: raw4('pushRecord'),
  pushPart: raw4('pushPart'),
  popRecord: raw3('popRecord'),
  pushRecords: raw3('pushRecords'),
  popRecords: raw3('popRecords'),
  reserveRecord: raw4('reserveRecord'),
  commitRecord: raw3('commitRecord'),
  peekRecord: raw3('peekRecord'),
  releaseRecord: raw2('releaseRecord'),
}
