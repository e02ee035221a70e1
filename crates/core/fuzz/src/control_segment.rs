//! Any bytes anywhere in the control segment.

use super::agents::live;

pub fn run(input: &[u8]) {
    live(input, |_, control, input| {
        let (header, agents) = (0..=207, 4096..=4096 + 3 * 64);
        let (heads, entries) = (69_632..=331_775, 331_776..=331_776 + 8 * 448);
        control.scribble(input, &[header, agents, heads, entries])
    });
}
