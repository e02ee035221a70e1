//! Entries of the registry that are almost sound.

use crossmem_core::list_of;

use super::agents::live;

const HEADS: u64 = 69_632;
const ENTRIES: u64 = 331_776;
const ENTRY: u64 = 448;
/// The offset of an entry's link to the next one.
const NEXT: u64 = 40;
/// The offsets of an entry's fields: state, kind, id, size, file, persist, length of the name,
/// link, arena, attached agents (two parts), name.
const FIELDS: [u64; 12] = [0, 4, 8, 16, 24, 32, 36, NEXT, 48, 56, 64, 184];
/// The offsets of the count of used entries, and of the link to the first free one.
const LISTS: [u64; 2] = [184, 192];

pub fn run(input: &[u8]) {
    live(input, |world, control, input| {
        let index = input.int_in_range(0..=8)?;
        let entry = ENTRIES + index * ENTRY;
        match input.int_in_range(0..=4)? {
            0 => {
                let head = HEADS + 4 * list_of(&world.name(index as u8)) as u64;
                let at = *input.choose(&[head, entry + NEXT, LISTS[0], LISTS[1]])?;
                // A link to an entry, or far behind all.
                let link = *input.choose(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 129, 65_537, u32::MAX])?;
                control.write(at, &link.to_le_bytes());
                Ok(())
            }
            1 => {
                // Copies the entry of another object, or half of it.
                let from = ENTRIES + input.int_in_range(0..=8)? * ENTRY;
                let words = (input.int_in_range(1..=2)? * ENTRY / 16).min(ENTRY / 8);
                for at in (0..words * 8).step_by(8) {
                    control.write(entry + at, &control.word(from + at).to_le_bytes());
                }
                Ok(())
            }
            2 => {
                control.write(entry, &input.int_in_range(0_u32..=4)?.to_le_bytes());
                Ok(())
            }
            _ => {
                let field = *input.choose(&FIELDS)?;
                control.overwrite(input, entry + field)
            }
        }
    });
}
