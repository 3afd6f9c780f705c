//! The layered graph, as a pipeline and as a ninja file: the same nodes, the same edges.

use std::fmt::Write as _;

/// How many nodes stand beside each other.
const WIDE: usize = 100;
/// How many layers there are.
const DEEP: usize = 100;
/// How many nodes the graph has.
pub(super) const NODES: usize = WIDE * DEEP;

/// The two nodes of the layer above that a node needs.
fn needs(layer: usize, place: usize) -> Option<[(usize, usize); 2]> {
    let above = layer.checked_sub(1)?;
    Some([(above, place), (above, (place + 1) % WIDE)])
}

fn nodes() -> impl Iterator<Item = (usize, usize)> {
    (0..DEEP).flat_map(|layer| (0..WIDE).map(move |place| (layer, place)))
}

/// The head of a pipeline of the do-nothing plugin.
const HEAD: &str = "[pipeline]\nname = \"bench\"\n\n[plugins]\nnoop = { path = \"noop.wasm\" }\n";

/// The graph as a pipeline: a stage of one step for each node.
pub(crate) fn pipeline() -> String {
    let mut text = HEAD.to_owned();
    for (layer, place) in nodes() {
        let _ = write!(text, "\n[stages.l{layer}-{place}]\n");
        if let Some([(a, b), (c, d)]) = needs(layer, place) {
            let _ = writeln!(text, "needs = [\"l{a}-{b}\", \"l{c}-{d}\"]");
        }
        text.push_str("[[stages.");
        let _ = write!(text, "l{layer}-{place}.steps]]\nuses = \"noop\"\n");
    }
    text
}

/// The graph for ninja: an edge that runs `true` for each node. Nothing is ever made, so every
/// edge runs every time.
pub(super) fn ninja() -> String {
    let mut text = RULE.to_owned();
    for (layer, place) in nodes() {
        let _ = write!(text, "build l{layer}-{place}: nothing");
        if let Some(needs) = needs(layer, place) {
            for (layer, place) in needs {
                let _ = write!(text, " l{layer}-{place}");
            }
        }
        text.push('\n');
    }
    text
}

const RULE: &str = "rule nothing\n  command = true\n";

/// A pipeline of one step.
pub(super) fn one_step() -> String {
    format!("{HEAD}\n[[stages.only.steps]]\nuses = \"noop\"\n")
}

/// A ninja file of one edge.
pub(super) fn one_edge() -> String {
    format!("{RULE}build only: nothing\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_the_same_nodes_and_edges() {
        let (ours, theirs) = (pipeline(), ninja());
        assert_eq!(ours.matches("uses = ").count(), NODES);
        assert_eq!(theirs.matches("build ").count(), NODES);
        assert_eq!(ours.matches("needs = ").count(), NODES - WIDE);
        assert!(ours.contains("[stages.l1-99]\nneeds = [\"l0-99\", \"l0-0\"]\n"));
        assert!(theirs.contains("build l1-99: nothing l0-99 l0-0\n"));
        assert!(theirs.contains("build l0-0: nothing\n"));
    }
}
