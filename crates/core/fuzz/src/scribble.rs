//! Overwrites shared memory: with random bytes, or with values that are likely to do harm.

use std::fs::{File, OpenOptions};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;

use arbitrary::{Result, Unstructured};

/// Values that are likely to do harm.
const HARMFUL: [u64; 10] = [
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

/// Overwrites a segment by its file, as another program could.
pub struct Scribbler {
    file: File,
    len: u64,
}

impl Scribbler {
    /// Opens the file with this name. Returns `None` if there is none.
    pub fn on(name: &str) -> Option<Scribbler> {
        let file = OpenOptions::new().read(true).write(true).open(format!("/dev/shm/{name}")).ok()?;
        let len = file.metadata().ok()?.len();
        Some(Scribbler { file, len })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// The number at an offset; 0 behind the end.
    pub fn word(&self, at: u64) -> u64 {
        let mut word = [0; 8];
        let read = self.file.read_exact_at(&mut word, at);
        read.map_or(0, |()| u64::from_le_bytes(word))
    }

    /// Writes as many of the bytes as fit: the segment's size stays.
    pub fn write(&self, at: u64, bytes: &[u8]) {
        let room = self.len.saturating_sub(at).min(bytes.len() as u64);
        self.file.write_all_at(&bytes[..room as usize], at).expect("memory that is there");
    }

    /// Releases the mutex at this offset if its word names a live agent: a call would rightly wait
    /// for that agent for seconds.
    pub fn take_back(&self, mutex: u64, lives: impl Fn(u64) -> bool) {
        if lives(self.word(mutex) >> 32) {
            self.write(mutex, &[0; 8]);
        }
    }

    /// Overwrites something in one of these spans, or anywhere.
    pub fn scribble(&self, input: &mut Unstructured<'_>, spans: &[RangeInclusive<u64>]) -> Result<()> {
        let which = input.int_in_range(0..=spans.len() * 4)?;
        let span = spans.get(which / 4).cloned().unwrap_or(0..=self.len - 1);
        let at = input.int_in_range(span)? & !3;
        self.overwrite(input, at)
    }

    /// Overwrites 8, 4 or some other number of bytes at an offset.
    pub fn overwrite(&self, input: &mut Unstructured<'_>, at: u64) -> Result<()> {
        let old = self.word(at);
        let word = match input.int_in_range(0..=7)? {
            0 => input.arbitrary()?,
            1 => old.wrapping_add_signed(input.arbitrary::<i8>()?.into()),
            2 => old.wrapping_add(1 << input.int_in_range(0..=63)?),
            3 => old ^ 1 << input.int_in_range(0..=63)?,
            4 => self.word(input.int_in_range(0..=self.len)? & !7),
            5 => u64::from(input.arbitrary::<u8>()?),
            6 => *input.choose(&HARMFUL)?,
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
