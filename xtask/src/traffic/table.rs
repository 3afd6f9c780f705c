//! What came out of each scenario, for people.

use crate::ui::took;
use std::fmt::Write as _;
use std::time::Duration;

/// What a scenario has to keep to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// None: not a single request may fail that is not the revision's own failure. Some: those that fail do so
    /// within this time.
    pub(super) outage: Option<Duration>,
    /// All answers are the expected revision's by then.
    pub(super) safe: Duration,
    /// So many requests may be failures of the revision itself.
    pub(super) own: f64,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) scenario: String,
    pub(super) driver: &'static str,
    pub(super) requests: usize,
    /// Failed, and not by the revision's own word.
    pub(super) caused: usize,
    /// How long such failures went on.
    pub(super) outage: Duration,
    /// WebSockets that HAProxy cut when the time to drain was over.
    pub(super) cut: usize,
    /// Failed by the revision's own word.
    pub(super) own: usize,
    /// From the act to the safe state; none: it did not come.
    pub(super) safe: Option<Duration>,
    pub(super) bounds: Bounds,
    /// Anything else that is not as it should be.
    pub(super) wrong: Vec<String>,
    /// The failures in words.
    pub(super) failures: Vec<String>,
}

impl Row {
    /// Every bound that does not hold, in words.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = self.wrong.clone();
        match self.bounds.outage {
            None if self.caused > 0 => problems.push(format!("{} requests failed that may not fail", self.caused)),
            Some(most) if self.outage > most => {
                problems.push(format!("requests failed for {}, and the bound is {}", took(self.outage), took(most)))
            }
            _ => {}
        }
        match self.safe {
            None => problems.push("the safe state was never reached".to_owned()),
            Some(safe) if safe > self.bounds.safe => problems.push(format!(
                "the safe state came after {}, and the bound is {}",
                took(safe),
                took(self.bounds.safe)
            )),
            Some(_) => {}
        }
        if count(self.own) > self.bounds.own {
            problems.push(format!(
                "the revision itself failed {} requests, and by its weight it could fail {:.0}",
                self.own, self.bounds.own
            ));
        }
        problems
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn count(requests: usize) -> f64 {
    requests as f64
}

/// The table, as Markdown, which a terminal shows as well.
pub(super) fn table(rows: &[Row]) -> String {
    let heads = ["scenario", "driver", "requests", "failed", "revision's own", "time to safe state", "verdict"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|row| {
        let failed = match row.bounds.outage {
            None => row.caused.to_string(),
            Some(most) => format!("{} in {} (bound {})", row.caused, took(row.outage), took(most)),
        };
        let failed = match row.cut {
            0 => failed,
            cut => format!("{failed}; {cut} WebSockets cut"),
        };
        let own = match row.own {
            0 => "0".to_owned(),
            own => format!(
                "{own} = {:.1} % (bound {:.0})",
                count(own) * 100.0 / count(row.requests.max(1)),
                row.bounds.own
            ),
        };
        let safe = row.safe.map_or("never".to_owned(), took);
        let safe = format!("{safe} (bound {})", took(row.bounds.safe));
        let verdict = if row.problems().is_empty() { "held" } else { "BROKEN" };
        let (scenario, requests) = (row.scenario.clone(), row.requests.to_string());
        vec![scenario, row.driver.to_owned(), requests, failed, own, safe, verdict.to_owned()]
    }));
    let widths: Vec<usize> =
        (0..heads.len()).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if number == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "| {} |", rule.join(" | "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            scenario: "blue-green".to_owned(),
            driver: "router",
            requests: 1000,
            caused: 0,
            outage: Duration::ZERO,
            cut: 0,
            own: 0,
            safe: Some(Duration::from_secs(1)),
            bounds: Bounds { outage: None, safe: Duration::from_secs(5), own: 0.0 },
            wrong: Vec::new(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn bounds() {
        assert_eq!(row().problems(), [""; 0]);
        assert_eq!(Row { caused: 1, ..row() }.problems().len(), 1);
        assert_eq!(Row { safe: None, ..row() }.problems().len(), 1);
        assert_eq!(Row { safe: Some(Duration::from_secs(6)), own: 1, ..row() }.problems().len(), 2);
        let outage = Bounds { outage: Some(Duration::from_secs(2)), ..row().bounds };
        let down = Row { caused: 30, outage: Duration::from_secs(1), bounds: outage, ..row() };
        assert_eq!(down.problems(), [""; 0]);
        assert_eq!(Row { outage: Duration::from_secs(3), ..down }.problems().len(), 1);
    }

    #[test]
    fn a_table_says_which_bound_is_broken() {
        let text = table(&[row(), Row { caused: 2, scenario: "canary".to_owned(), ..row() }]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[2].starts_with("| blue-green | router | 1000") && lines[2].ends_with("held    |"));
        assert!(lines[3].contains("BROKEN"), "{text}");
    }
}
