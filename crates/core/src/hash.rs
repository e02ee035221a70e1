//! FNV-1a, for names: <https://www.rfc-editor.org/rfc/rfc9923>

pub(crate) fn hash_32(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// For names that the system doesn't allow, or that shouldn't be longer.
pub(crate) fn hash_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}
