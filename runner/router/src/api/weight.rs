//! A share of a service's traffic, in hundredths of a percent.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// From 0 to 100 percent, with at most two decimals; exact. In JSON a plain number (`12.5`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u16);

/// A number that is no weight.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0} is no weight: it takes a number from 0 to 100 with at most two decimals")]
pub struct BadWeight(f64);

impl Weight {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Everything.
    pub const FULL: Self = Self(10_000);

    /// Whole percents; more than 100 is 100.
    #[must_use]
    pub fn percent(percent: u8) -> Self {
        Self(u16::from(percent.min(100)) * 100)
    }

    /// Hundredths of a percent; more than 10,000 is 10,000.
    #[must_use]
    pub fn units(units: u16) -> Self {
        Self(units.min(10_000))
    }

    /// In hundredths of a percent.
    #[must_use]
    pub fn as_units(self) -> u16 {
        self.0
    }

    /// As JSON writes it.
    #[must_use]
    pub fn as_percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The highest weight that so many ready replicas allow: 100 × ready / full. Rounded up to the
    /// next hundredth: otherwise one of three and two of three could not carry everything together.
    #[must_use]
    pub fn cap(ready: u32, full: u32) -> Self {
        let units = (u64::from(ready) * 10_000).div_ceil(u64::from(full.max(1)));
        Self(u16::try_from(units.min(10_000)).unwrap_or(10_000))
    }
}

impl TryFrom<f64> for Weight {
    type Error = BadWeight;

    fn try_from(percent: f64) -> Result<Self, BadWeight> {
        let units = percent * 100.0;
        let whole = units.round();
        // Decimals such as 0.07 are no binary fractions: what is left over is the number's own error.
        if !(0.0..=10_000.0).contains(&whole) || (units - whole).abs() > 1e-6 {
            return Err(BadWeight(percent));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was just checked")]
        Ok(Self(whole as u16))
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_percent())
    }
}

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(100) { to.serialize_u16(self.0 / 100) } else { to.serialize_f64(self.as_percent()) }
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::try_from(f64::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hundredth_survives_json() {
        for units in 0..=10_000 {
            let text = serde_json::to_string(&Weight(units)).unwrap();
            assert_eq!(serde_json::from_str::<Weight>(&text).unwrap(), Weight(units), "{text}");
        }
    }

    #[test]
    fn what_is_no_weight_is_refused() {
        for bad in ["-1", "100.01", "0.001", "1e9", "\"5\"", "null"] {
            assert!(serde_json::from_str::<Weight>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_cap_rounds_up() {
        assert_eq!(Weight::cap(1, 3).as_units(), 3_334);
        assert_eq!(Weight::cap(2, 3).as_units(), 6_667);
        assert_eq!(Weight::cap(3, 3), Weight::FULL);
        assert_eq!(Weight::cap(9, 3), Weight::FULL);
        assert_eq!(Weight::cap(0, 3), Weight::ZERO);
    }
}
