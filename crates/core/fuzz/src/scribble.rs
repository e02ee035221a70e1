//! Writing over shared memory as a program does that knows nothing of what it means, or everything.

use std::fs::{File, OpenOptions};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;

use arbitrary::{Result, Unstructured};

const MEAN: [u64; 10] = [
    0,
    1,
    2,
    u64::MAX,
    1 << 63,
    1 << 31,
    1 << 32,
    u32::MAX as u64,
    1 << 53,
    u64::from_le_bytes(*b"crossobj"),
];

/// Somebody else's way into a segment: its file.
pub struct Scribbler {
    file: File,
    len: u64,
}

impl Scribbler {
    /// `None`: nothing has that name any more.
    pub fn on(name: &str) -> Option<Scribbler> {
        let file = OpenOptions::new().read(true).write(true).open(format!("/dev/shm/{name}")).ok()?;
        let len = file.metadata().ok()?.len();
        Some(Scribbler { file, len })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// A word; 0 behind the end.
    pub fn word(&self, at: u64) -> u64 {
        let mut word = [0; 8];
        let read = self.file.read_exact_at(&mut word, at);
        read.map_or(0, |()| u64::from_le_bytes(word))
    }

    /// Writes as much of it as fits: the segment's size stays.
    pub fn write(&self, at: u64, bytes: &[u8]) {
        let room = self.len.saturating_sub(at).min(bytes.len() as u64);
        self.file.write_all_at(&bytes[..room as usize], at).expect("memory that is there");
    }

    /// A mutex whose word names a living agent is held, and waited for, for seconds: it is taken back from those agents.
    pub fn take_back(&self, mutex: u64, lives: impl Fn(u64) -> bool) {
        if lives(self.word(mutex) >> 32) {
            self.write(mutex, &[0; 8]);
        }
    }

    /// Writes over something in one of these spans, or anywhere.
    pub fn scribble(&self, input: &mut Unstructured<'_>, spans: &[RangeInclusive<u64>]) -> Result<()> {
        let which = input.int_in_range(0..=spans.len() * 4)?;
        let span = spans.get(which / 4).cloned().unwrap_or(0..=self.len - 1);
        let at = input.int_in_range(span)? & !3;
        self.overwrite(input, at)
    }

    /// Writes a word, half a word or some bytes there.
    pub fn overwrite(&self, input: &mut Unstructured<'_>, at: u64) -> Result<()> {
        let old = self.word(at);
        let word = match input.int_in_range(0..=7)? {
            0 => input.arbitrary()?,
            1 => old.wrapping_add_signed(input.arbitrary::<i8>()?.into()),
            2 => old.wrapping_add(1 << input.int_in_range(0..=63)?),
            3 => old ^ 1 << input.int_in_range(0..=63)?,
            4 => self.word(input.int_in_range(0..=self.len)? & !7),
            5 => u64::from(input.arbitrary::<u8>()?),
            6 => *input.choose(&MEAN)?,
            _ => {
                let count = input.int_in_range(1..=64)?;
                self.write(at, input.bytes(count)?);
                return Ok(());
            }
        };
        let width = if input.arbitrary()? { 8 } else { 4 };
        self.write(at, &word.to_le_bytes()[..width]);
        Ok(())
    }
}
