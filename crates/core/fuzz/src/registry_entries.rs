//! Entries of the registry that are almost sound.

use super::agents::live;

const ENTRIES: u64 = 86_016;
const ENTRY: u64 = 448;
const TAGS: u64 = 69_632;
/// The offsets of an entry's fields: state, kind, id, size, file, persist, length of the name,
/// arena, attached agents (two parts), name.
const FIELDS: [u64; 11] = [0, 4, 8, 16, 24, 32, 36, 40, 48, 56, 176];

pub fn run(input: &[u8]) {
    live(input, |control, input| {
        let index = input.int_in_range(0..=8)?;
        let entry = ENTRIES + index * ENTRY;
        match input.int_in_range(0..=4)? {
            0 => control.overwrite(input, TAGS + 4 * index),
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
