//! The stages as a graph for a terminal: each row is a stage, and lines run down from it to the
//! stages that need it.
//!
//! ```text
//! ○ check
//! ├─╮
//! ○ │ build
//! │ ○ lint
//! ○─╯ ship
//! ```

use windlass_pipeline::PlanStage;

/// More lines than this side by side help nobody.
const MAX_COLUMNS: usize = 24;
/// More stages than this do not, either.
const MAX_STAGES: usize = 200;

/// The graph, or nothing if there is none to see: one stage, or more than fit.
pub(super) fn draw(stages: &[PlanStage]) -> Option<String> {
    if stages.len() < 2 || stages.len() > MAX_STAGES {
        return None;
    }
    let mut lanes = Lanes::default();
    let mut text = String::new();
    for (index, stage) in (0_u32..).zip(stages) {
        lanes.stage(index, stage, &mut text)?;
    }
    Some(text)
}

/// The lines that are on their way down; each leads to a stage.
#[derive(Default)]
struct Lanes(Vec<Option<u32>>);

impl Lanes {
    fn stage(&mut self, index: u32, stage: &PlanStage, text: &mut String) -> Option<()> {
        let arriving = self.leading_to(index);
        let column = match arriving.first() {
            Some(first) => *first,
            None => self.free(),
        };
        let closing: Vec<End> =
            arriving.iter().skip(1).map(|lane| End { lane: *lane, kind: EndKind::Closes }).collect();
        if !closing.is_empty() {
            self.bar(column, '├', &closing, text);
        }
        arriving.iter().for_each(|lane| self.0[*lane] = None);
        self.node(column, &stage.name, text);

        let mut straight = false;
        let mut aside = Vec::new();
        for dependent in &stage.dependents {
            // One that another line leads to already joins it; else the first goes on straight down.
            match self.leading_to(*dependent).first() {
                Some(lane) => aside.push(End { lane: *lane, kind: EndKind::Joins }),
                None if self.0[column].is_none() => {
                    self.0[column] = Some(*dependent);
                    straight = true;
                }
                None => {
                    let lane = self.free();
                    self.0[lane] = Some(*dependent);
                    aside.push(End { lane, kind: EndKind::Opens });
                }
            }
        }
        if self.0.len() > MAX_COLUMNS {
            return None;
        }
        if !aside.is_empty() {
            let left = aside.iter().any(|end| end.lane < column);
            let right = aside.iter().any(|end| end.lane > column);
            let corner = match (left, right, straight) {
                (false, _, true) => '├',
                (false, _, false) => '╰',
                (true, false, true) => '┤',
                (true, false, false) => '╯',
                (true, true, true) => '┼',
                (true, true, false) => '┴',
            };
            self.bar(column, corner, &aside, text);
        }
        while self.0.last().is_some_and(Option::is_none) {
            self.0.pop();
        }
        Some(())
    }

    fn leading_to(&self, index: u32) -> Vec<usize> {
        (0..self.0.len()).filter(|lane| self.0[*lane] == Some(index)).collect()
    }

    fn used(&self, lane: usize) -> bool {
        self.0.get(lane).is_some_and(Option::is_some)
    }

    /// A column that no line uses.
    fn free(&mut self) -> usize {
        match self.0.iter().position(Option::is_none) {
            Some(lane) => lane,
            None => {
                self.0.push(None);
                self.0.len() - 1
            }
        }
    }

    fn node(&self, column: usize, name: &str, text: &mut String) {
        let width = (0..self.0.len()).filter(|lane| self.used(*lane)).max().unwrap_or(0).max(column) + 1;
        for lane in 0..width {
            text.push_str(match lane == column {
                true => "○ ",
                false if self.used(lane) => "│ ",
                false => "  ",
            });
        }
        text.push_str(name);
        text.push('\n');
    }

    /// A row in which lines cross over between `column` and the `ends`.
    fn bar(&self, column: usize, corner: char, ends: &[End], text: &mut String) {
        let lanes = || ends.iter().map(|end| end.lane).chain([column]);
        let (from, to) = (lanes().min().unwrap_or(column), lanes().max().unwrap_or(column));
        let mut row = String::new();
        for lane in 0..self.0.len().max(to + 1) {
            let end = ends.iter().find(|end| end.lane == lane);
            row.push(match end {
                _ if lane == column => corner,
                Some(end) if lane == to => end.kind.corners()[2],
                Some(end) if lane == from => end.kind.corners()[0],
                Some(end) => end.kind.corners()[1],
                // A line that passes behind.
                None if self.used(lane) => '│',
                None if lane > from && lane < to => '─',
                None => ' ',
            });
            row.push(if lane >= from && lane < to { '─' } else { ' ' });
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
}

/// Where a line crosses over from or to.
struct End {
    lane: usize,
    kind: EndKind,
}

/// What becomes of the lane there.
#[derive(Clone, Copy)]
enum EndKind {
    /// It begins.
    Opens,
    /// It ends.
    Closes,
    /// It was there before and goes on.
    Joins,
}

impl EndKind {
    /// At the left end of the row, within it, and at its right end.
    fn corners(self) -> [char; 3] {
        match self {
            Self::Opens => ['╭', '┬', '╮'],
            Self::Closes => ['╰', '┴', '╯'],
            Self::Joins => ['├', '┼', '┤'],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use windlass_pipeline::Location;

    use super::*;

    fn stages(graph: &[(&str, &[u32])]) -> Vec<PlanStage> {
        let mut stages: Vec<PlanStage> = graph
            .iter()
            .map(|(name, needs)| PlanStage {
                name: Arc::from(*name),
                needs: needs.to_vec(),
                dependents: Vec::new(),
                steps: 0..1,
                required: true,
                environment: None,
                approval: None,
                location: Location::default(),
            })
            .collect();
        for (index, (_, needs)) in (0..).zip(graph) {
            needs.iter().for_each(|need| stages[*need as usize].dependents.push(index));
        }
        stages
    }

    #[test]
    fn one_stage_and_far_too_many_have_no_graph() {
        assert_eq!(draw(&stages(&[("a", &[])])), None);
        let many = vec![("a", &[][..]); MAX_STAGES + 1];
        assert_eq!(draw(&stages(&many)), None);
    }

    #[test]
    fn a_chain_is_a_line() {
        insta::assert_snapshot!(draw(&stages(&[("a", &[]), ("b", &[0]), ("c", &[1])])).unwrap(), @r"
        ○ a
        ○ b
        ○ c
        ");
    }

    #[test]
    fn a_diamond_parts_and_meets() {
        let graph: &[(&str, &[u32])] = &[("check", &[]), ("build", &[0]), ("lint", &[0]), ("ship", &[1, 2])];
        insta::assert_snapshot!(draw(&stages(graph)).unwrap(), @r"
        ○ check
        ├─╮
        ○ │ build
        │ ○ lint
        ├─╯
        ○ ship
        ");
    }

    #[test]
    fn lines_pass_behind_one_another() {
        let graph: &[(&str, &[u32])] =
            &[("a", &[]), ("b", &[]), ("c", &[0]), ("d", &[0, 1]), ("e", &[1]), ("f", &[2, 4]), ("g", &[3, 5])];
        insta::assert_snapshot!(draw(&stages(graph)).unwrap(), @r"
        ○ a
        ├─╮
        │ │ ○ b
        │ ├─┤
        ○ │ │ c
        │ ○ │ d
        │ │ ○ e
        ├─│─╯
        ○ │ f
        ╰─┤
          ○ g
        ");
    }
}
