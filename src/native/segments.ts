import * as addon from './addon.js'
import { member, visitor } from './call.js'

/** Segments and what any object tells. */
export const nativeSegments = {
  randomName: visitor(addon.randomName),
  createSegment: member(addon.createSegment),
  openSegment: member(addon.openSegment),
  segmentBuffer: member(addon.segmentBuffer) as (handle: number) => ArrayBuffer,
  segmentSharedBuffer: member(addon.segmentSharedBuffer) as (handle: number) => SharedArrayBuffer,
  readSegment: member(addon.readSegment),
  writeSegment: member(addon.writeSegment),
  compareExchange: member(addon.compareExchange),
  refillSegment: member(addon.refillSegment),
  closeSegment: visitor(addon.closeSegment),
  closeWithBuffer: member(addon.closeWithBuffer),
  forgetSegment: visitor(addon.forgetSegment),
  unlinkSegment: member(addon.unlinkSegment),
  unlinkByName: member(addon.unlinkByName),
  mapPath: member(addon.mapPath),
  reserveMap: member(addon.reserveMap),
  objectParams: member(addon.objectParams),
  objectFacts: member(addon.objectFacts),
  objectCompany: member(addon.objectCompany),
}
