import { join } from 'node:path'
import test from 'ava'
import * as constants from '../../src/native/protocol.js'
import { root } from '../helpers/paths.js'

type Numbers = Record<string, number>

/** The addon's numbers, as `crates/napi/src/protocol.rs` states them. */
const addon = require(join(root, 'dist', 'addon', 'index.js')) as Record<string, Numbers>

/** JavaScript's literals. */
const protocol: Record<string, Numbers> = { ...constants }

/** The flags of a message stand with the offsets of the pad in the addon. */
const { REDELIVERED, MORE, SPILLED, ...padOffsets } = addon.pad as Numbers

const pairs: Record<keyof typeof constants, Numbers | undefined> = {
  waits: addon.waits,
  attempts: addon.mode,
  answers: addon.answer,
  arrivals: addon.arrival,
  meetings: addon.meeting,
  fates: addon.fate,
  fileAnswers: addon.file,
  transfers: addon.transfer,
  channels: addon.channel,
  company: addon.company,
  queueFlags: addon.queue,
  segmentOffsets: addon.segment,
  ringOffsets: addon.ring,
  recordQueueOffsets: addon.records,
  padOffsets,
  structureAnswers: addon.structure,
  messageFlags: { REDELIVERED, MORE, SPILLED } as Numbers,
}

for (const [group, stated] of Object.entries(pairs)) {
  test(`JavaScript and the addon agree on ${group}`, t => {
    t.true(Object.keys(stated ?? {}).length > 0)
    t.deepEqual({ ...protocol[group] }, { ...stated })
  })
}

test('every group of numbers is compared', t => {
  t.deepEqual(Object.keys(pairs).sort(), Object.keys(protocol).sort())
})
