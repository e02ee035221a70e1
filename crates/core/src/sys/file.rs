//! Files as the operating systems describe them, and ranges of their bytes.

use std::path::PathBuf;

/// The file behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Identity of the file; 0 where the OS has none.
    pub file: u64,
    pub size: u64,
}

/// A control segment's name that leads to what isn't this user's.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The path of the file.
    pub path: PathBuf,
    /// The id of the user that it belongs to, as this process sees it.
    pub owner: u32,
}

/// What a new file is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// What the system takes by itself.
    #[default]
    Usual,
    /// Huge ones, as far as the system has any.
    Huge,
}

/// A range of bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// How many bytes; 0: to the end of the file, also when the file grows.
    pub len: u64,
}

impl ByteRange {
    /// The byte behind the last.
    pub(crate) fn end(self) -> u64 {
        if self.len == 0 { u64::MAX } else { self.start.saturating_add(self.len) }
    }

    pub(crate) fn overlaps(self, other: ByteRange) -> bool {
        self.start < other.end() && other.start < self.end()
    }
}

/// Bytes to write into an object before it has a name.
pub struct Part<'a> {
    /// Where they go.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// How many bytes to fill by repeating `bytes`.
    pub len: u64,
}

impl Part<'_> {
    /// Calls `write` with consecutive pieces of at most about a mebibyte that make up the part.
    pub(crate) fn for_each_piece<E>(
        &self,
        mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let whole = self.bytes.len() as u64;
        if self.len <= whole {
            return write(self.offset, &self.bytes[..self.len as usize]);
        }
        let repeats = (1 << 20_u64).min(self.len) / whole.max(1);
        let piece = self.bytes.repeat(repeats.max(1) as usize);
        let mut done = 0;
        while done < self.len {
            let now = (self.len - done).min(piece.len() as u64);
            write(self.offset + done, &piece[..now as usize])?;
            done += now;
        }
        Ok(())
    }
}
