//! Random numbers that are the same in each run.

/// Knuth's MMIX.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 24 ^ self.0 << 40
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
