//! A histogram with fixed buckets: sixteen to each doubling, so a value read from it is at most a
//! sixteenth too high. All histograms share the bounds, and can be added.

/// Values up to 2^36 microseconds, nineteen hours; what is above counts there.
const TOP: u32 = 36;
const SUB: u32 = 4;
/// Number of buckets.
pub(crate) const BUCKETS: usize = ((TOP - SUB + 2) as usize) << SUB;

/// The bucket of a value.
pub(crate) fn bucket(value: u64) -> usize {
    if value < 1 << SUB {
        return usize::try_from(value).unwrap_or(0);
    }
    let exponent = value.ilog2().min(TOP);
    let sub = (value >> (exponent - SUB)).min((2 << SUB) - 1) & ((1 << SUB) - 1);
    (((exponent - SUB + 1) as usize) << SUB) + usize::try_from(sub).unwrap_or(0)
}

/// The highest value that belongs to a bucket.
pub(crate) fn upper(bucket: usize) -> u64 {
    if bucket < 1 << SUB {
        return bucket as u64;
    }
    let shift = (bucket >> SUB) as u32 - 1;
    let base = (1_u64 << SUB) + (bucket as u64 & ((1 << SUB) - 1));
    ((base + 1) << shift) - 1
}

/// The smallest bound below which this part of all values lies.
pub(crate) fn quantile(counts: &[u64], part: f64) -> u64 {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
    let rank = ((total as f64 * part).ceil() as u64).clamp(1, total);
    let mut seen = 0;
    for (at, count) in counts.iter().enumerate() {
        seen += count;
        if seen >= rank {
            return upper(at);
        }
    }
    upper(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_tight_and_ascend() {
        let mut last = None;
        for at in 0..BUCKETS {
            let top = upper(at);
            assert_eq!(bucket(top), at, "the highest value of a bucket is in it");
            assert!(last.is_none_or(|l| top > l));
            last = Some(top);
        }
        for value in [0, 1, 15, 16, 17, 1_000, 123_456, 1 << 35] {
            let top = upper(bucket(value));
            assert!(top >= value && top - value <= value / 16, "{value} {top}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_of_a_known_distribution() {
        let mut counts = vec![0; BUCKETS];
        for value in 1..=1_000_u64 {
            counts[bucket(value * 100)] += 1;
        }
        for (part, exact) in [(0.5, 50_000), (0.99, 99_000), (1.0, 100_000)] {
            let got = quantile(&counts, part);
            assert!(got >= exact && got <= exact + exact / 16, "{part}: {got}");
        }
        assert_eq!(quantile(&vec![0; BUCKETS], 0.99), 0);
    }
}
