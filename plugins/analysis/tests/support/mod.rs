//! Made-up traffic from a seed.

use windlass_analysis::evidence::Side;

/// SplitMix64: small, and good enough to throw dice.
pub struct Dice(pub u64);

impl Dice {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// How many of `n` happen, each with chance `p`.
    pub fn of(&mut self, n: u64, p: f64) -> u64 {
        if p <= 0.0 || n == 0 {
            return 0;
        }
        if p >= 0.1 {
            return (0..n).filter(|_| self.unit() < p).count() as u64;
        }
        // Rare: jump from one to the next.
        let (mut at, mut hits) = (0.0, 0);
        loop {
            at += (self.unit().ln() / (-p).ln_1p()).floor() + 1.0;
            if at > n as f64 {
                return hits;
            }
            hits += 1;
        }
    }

    /// `n` requests of which each is bad with chance `p`.
    pub fn side(&mut self, n: u64, p: f64) -> Side {
        Side::new(n, self.of(n, p))
    }
}
