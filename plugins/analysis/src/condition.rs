//! Conditions on a metric: `error-rate > 5%`, `p99 > 5s`, `value < 0.9 * baseline`.

use crate::observation::{Quantile, Reading, Traffic};
use crate::units::{Share, Span, digits, number};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// The share of requests that failed.
    ErrorRate,
    /// The share that did not.
    Availability,
    /// The time within which so many per cent of the requests were answered: 99 for `p99`.
    Percentile(f64),
    /// The number that a query gave.
    Value,
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// With what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A number: a fraction, milliseconds, or what the query counts.
    Fixed(f64),
    /// So many times what the previous revision has in the same interval.
    Baseline(f64),
}

/// One comparison. Written and read as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    /// What is looked at.
    pub quantity: Quantity,
    /// How it is compared.
    pub relation: Relation,
    /// With what.
    pub bound: Bound,
}

/// What came of a condition in one interval.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Held {
    /// It holds, or not; the number that was seen, and the one it was compared with, in words.
    Known { holds: bool, seen: String, bound: String },
    /// There is nothing to judge by.
    Unknown(String),
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionError {
    /// The first word is not a quantity.
    Quantity(String),
    /// No comparison follows the quantity.
    Relation(String),
    /// What it is compared with is not what this quantity is measured in.
    Bound {
        /// What stands there.
        given: String,
        /// What could.
        expected: &'static str,
    },
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantity(given) => write!(
                f,
                "`{given}` cannot be compared: a condition begins with `error-rate`, `availability`, a percentile \
                 such as `p99`, or `value`"
            ),
            Self::Relation(given) => {
                write!(f, "`{given}` is no comparison: `>`, `>=`, `<` or `<=` comes after the quantity")
            }
            Self::Bound { given, expected } => write!(f, "`{given}` is not {expected}, nor `0.9 * baseline`"),
        }
    }
}

impl std::error::Error for ConditionError {}

impl std::str::FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let text = text.trim();
        let end = text.find(|c: char| c.is_whitespace() || "<>=!".contains(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let quantity = Quantity::parse(name).ok_or_else(|| ConditionError::Quantity(name.to_owned()))?;
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !"<>=!".contains(c)).unwrap_or(rest.len());
        let (sign, rest) = rest.split_at(end);
        let relation = match sign {
            ">" => Relation::Above,
            ">=" => Relation::AtLeast,
            "<" => Relation::Below,
            "<=" => Relation::AtMost,
            "" => return Err(ConditionError::Relation(rest.trim().to_owned())),
            other => return Err(ConditionError::Relation(other.to_owned())),
        };
        let bound = bound(quantity, rest.trim())?;
        Ok(Self { quantity, relation, bound })
    }
}

/// `baseline`, `0.9 * baseline`, `baseline * 0.9`, or a number in the quantity's own unit.
fn bound(quantity: Quantity, text: &str) -> Result<Bound, ConditionError> {
    let factor = match text.split_once('*') {
        None if text == "baseline" => Some(1.0),
        Some((left, right)) if right.trim() == "baseline" => plain(left),
        Some((left, right)) if left.trim() == "baseline" => plain(right),
        _ => None,
    };
    if let Some(factor) = factor {
        return Ok(Bound::Baseline(factor));
    }
    let (fixed, expected) = match quantity {
        Quantity::ErrorRate | Quantity::Availability => {
            let share = Share::parse(text).map(|s| s.0).filter(|s| *s <= 1.0);
            (share, "a share from `0%` to `100%`")
        }
        Quantity::Percentile(_) => {
            let time = Span::parse(text).filter(|s| s.0 > 0).map(|s| s.0 as f64);
            (time, "a time such as `500ms` or `5s`")
        }
        Quantity::Value => {
            let (sign, rest) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
            (plain(rest).or_else(|| Share::parse(rest).map(|s| s.0)).map(|n| sign * n), "a number")
        }
    };
    fixed.map(Bound::Fixed).ok_or_else(|| ConditionError::Bound { given: text.to_owned(), expected })
}

fn plain(text: &str) -> Option<f64> {
    let (number, rest) = number(text.trim())?;
    (rest.is_empty() && number.is_finite()).then_some(number)
}

impl Quantity {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "error-rate" => Some(Self::ErrorRate),
            "availability" => Some(Self::Availability),
            "value" => Some(Self::Value),
            _ => {
                let percent = plain(name.strip_prefix('p')?)?;
                (percent > 0.0 && percent < 100.0).then_some(Self::Percentile(percent))
            }
        }
    }

    /// Of one revision's traffic. `Err` says why it is not known.
    fn of(self, traffic: &Traffic, who: &str) -> Result<Quantile, String> {
        let none = || format!("the {who} had no requests");
        match self {
            Self::ErrorRate => traffic.error_rate().map(Quantile::About).ok_or_else(none),
            Self::Availability => traffic.error_rate().map(|rate| Quantile::About(1.0 - rate)).ok_or_else(none),
            Self::Percentile(percent) => {
                traffic.latency.quantile(percent / 100.0).ok_or_else(|| format!("no times were measured for the {who}"))
            }
            Self::Value => Err("the router measures no `value`".to_owned()),
        }
    }

    /// A number of this kind as people like to see it, rounded.
    fn words(self, number: f64) -> String {
        let rounded = |places: i32| (number * 10_f64.powi(places)).round() / 10_f64.powi(places);
        match self {
            Self::ErrorRate | Self::Availability => Share(rounded(5)).to_string(),
            Self::Percentile(_) if number < 100.0 => format!("{}ms", digits(rounded(2))),
            Self::Percentile(_) => Span(number.round() as u64).to_string(),
            Self::Value => digits(rounded(6)),
        }
    }
}

impl Condition {
    /// Does it hold for what was read?
    pub(crate) fn judge(&self, reading: &Reading) -> Held {
        self.known(reading).unwrap_or_else(Held::Unknown)
    }

    fn known(&self, reading: &Reading) -> Result<Held, String> {
        let (seen, baseline) = match (reading, self.quantity) {
            (Reading::Traffic { canary, baseline }, quantity) => {
                let baseline = baseline.as_ref().ok_or_else(|| "no baseline served".to_owned());
                (quantity.of(canary, "new revision")?, baseline.and_then(|b| quantity.of(b, "baseline")))
            }
            (Reading::Value { value, baseline, .. }, Quantity::Value) => {
                (finite(*value, "the query")?, finite(*baseline, "the query for the baseline"))
            }
            (Reading::Value { .. }, _) => return Err("the query gives a number, not traffic".to_owned()),
            (Reading::Error(error), _) => return Err(error.clone()),
        };
        let bound = match self.bound {
            Bound::Fixed(fixed) => fixed,
            Bound::Baseline(factor) => match baseline? {
                Quantile::About(number) => factor * number,
                Quantile::Over(_) => return Err("the baseline is beyond the histogram's last bucket".to_owned()),
            },
        };
        let (holds, seen) = match seen {
            Quantile::About(seen) => (self.relation.holds(seen, bound), self.quantity.words(seen)),
            Quantile::Over(last) if last >= bound => {
                let more = matches!(self.relation, Relation::Above | Relation::AtLeast);
                (more, format!("over {}", self.quantity.words(last)))
            }
            Quantile::Over(last) => {
                let last = self.quantity.words(last);
                return Err(format!("all that is known is that it is over {last}, the histogram's last bucket"));
            }
        };
        Ok(Held::Known { holds, seen, bound: self.quantity.words(bound) })
    }
}

/// A number that says something.
fn finite(value: Option<f64>, what: &str) -> Result<Quantile, String> {
    match value {
        Some(value) if value.is_finite() => Ok(Quantile::About(value)),
        Some(value) if value.is_nan() => Err(format!("{what} gave NaN, which is no number")),
        Some(_) => Err(format!("{what} gave an infinite number")),
        None => Err(format!("{what} found nothing")),
    }
}

impl Relation {
    fn holds(self, seen: f64, bound: f64) -> bool {
        match self {
            Self::Above => seen > bound,
            Self::AtLeast => seen >= bound,
            Self::Below => seen < bound,
            Self::AtMost => seen <= bound,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorRate => f.write_str("error-rate"),
            Self::Availability => f.write_str("availability"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
            Self::Value => f.write_str("value"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.relation {
            Relation::Above => ">",
            Relation::AtLeast => ">=",
            Relation::Below => "<",
            Relation::AtMost => "<=",
        };
        write!(f, "{} {sign} ", self.quantity)?;
        match (self.bound, self.quantity) {
            (Bound::Baseline(1.0), _) => f.write_str("baseline"),
            (Bound::Baseline(factor), _) => write!(f, "{factor} * baseline"),
            (Bound::Fixed(number), Quantity::Percentile(_)) => write!(f, "{}", Span(number.round() as u64)),
            // All digits: it is read again.
            (Bound::Fixed(number), Quantity::Value) => write!(f, "{number}"),
            (Bound::Fixed(number), _) => write!(f, "{}", Share(number)),
        }
    }
}

impl TryFrom<String> for Condition {
    type Error = ConditionError;

    fn try_from(text: String) -> Result<Self, ConditionError> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.to_string()
    }
}
