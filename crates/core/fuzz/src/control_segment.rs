//! Any bytes anywhere in the control segment.

use super::agents::live;

pub fn run(input: &[u8]) {
    live(input, |control, input| {
        let (header, agents) = (0..=207, 4096..=4096 + 3 * 64);
        let (tags, entries) = (69_632..=69_632 + 31, 86_016..=86_016 + 8 * 448);
        control.scribble(input, &[header, agents, tags, entries])
    });
}
