//! The order of things that need each other: stages, and variables.
//!
//! Nothing here recurses: a generated pipeline may be a chain of a million stages.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// Who needs whom, by index. The lists of all nodes lie in one vector.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    starts: Vec<u32>,
    needs: Vec<u32>,
}

impl Graph {
    pub(crate) fn new() -> Self {
        Self { starts: vec![0], needs: Vec::new() }
    }

    /// Adds a node; its index is the number of nodes before it.
    pub(crate) fn push(&mut self, needs: impl IntoIterator<Item = u32>) {
        self.needs.extend(needs);
        self.starts.push(self.needs.len() as u32);
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(crate) fn needs(&self, node: u32) -> &[u32] {
        let at = |index: usize| self.starts.get(index).map_or(0, |start| *start as usize);
        self.needs.get(at(node as usize)..at(node as usize + 1)).unwrap_or_default()
    }

    /// For each node, those that need it, ascending.
    pub(crate) fn dependents(&self) -> Self {
        let mut starts = vec![0_u32; self.len() + 1];
        for need in &self.needs {
            starts[*need as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut edges = vec![0; self.needs.len()];
        for node in 0..self.len() as u32 {
            for need in self.needs(node) {
                let at = &mut next[*need as usize];
                edges[*at as usize] = node;
                *at += 1;
            }
        }
        Self { starts, needs: edges }
    }

    /// An order in which every node comes after all that it needs, and otherwise nodes come as they are numbered.
    ///
    /// # Errors
    ///
    /// The cycles, when there is no such order: one, and a shortest, for each group of nodes that need each other.
    pub(crate) fn order(&self) -> Result<Vec<u32>, Vec<Vec<u32>>> {
        let dependents = self.dependents();
        let mut missing: Vec<u32> = (0..self.len() as u32).map(|node| self.needs(node).len() as u32).collect();
        let free = (0..self.len() as u32).filter(|node| missing[*node as usize] == 0);
        let mut ready: BinaryHeap<Reverse<u32>> = free.map(Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for dependent in dependents.needs(node) {
                let left = &mut missing[*dependent as usize];
                *left -= 1;
                if *left == 0 {
                    ready.push(Reverse(*dependent));
                }
            }
        }
        if order.len() == self.len() {
            return Ok(order);
        }
        Err(self.cycles(&missing))
    }

    /// `missing` is 0 for nodes that are on no cycle and behind none.
    fn cycles(&self, missing: &[u32]) -> Vec<Vec<u32>> {
        let mut graph: DiGraph<u32, ()> = DiGraph::new();
        let mut index = vec![NodeIndex::end(); self.len()];
        for node in (0..self.len()).filter(|node| missing[*node] > 0) {
            index[node] = graph.add_node(node as u32);
        }
        for node in (0..self.len()).filter(|node| missing[*node] > 0) {
            for need in self.needs(node as u32).iter().filter(|need| missing[**need as usize] > 0) {
                graph.add_edge(index[node], index[*need as usize], ());
            }
        }
        // Tarjan's algorithm would do it in one pass, but petgraph's recurses, and a cycle may be as long as the file.
        let groups = kosaraju_scc(&graph);
        let mut group_of = vec![u32::MAX; self.len()];
        let mut cycles = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            group.iter().for_each(|node| group_of[graph[*node] as usize] = number as u32);
        }
        for (number, group) in groups.iter().enumerate().filter(|(_, group)| group.len() > 1) {
            let first = group.iter().map(|node| graph[*node]).min().unwrap_or_default();
            cycles.push(self.shortest_cycle(first, |node| group_of[node as usize] == number as u32));
        }
        cycles.sort();
        cycles
    }

    /// A shortest way from `first` back to it, along needs, within a group where there is one.
    fn shortest_cycle(&self, first: u32, within: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut from = vec![u32::MAX; self.len()];
        let mut queue = VecDeque::from([first]);
        while let Some(node) = queue.pop_front() {
            for need in self.needs(node).iter().copied().filter(|need| within(*need)) {
                if need == first {
                    let mut path = vec![node];
                    let mut at = node;
                    while at != first {
                        at = from[at as usize];
                        path.push(at);
                    }
                    path.reverse();
                    return path;
                }
                if from[need as usize] == u32::MAX {
                    from[need as usize] = node;
                    queue.push_back(need);
                }
            }
        }
        vec![first]
    }

    /// For each pair, whether the second node comes after the first because it needs it, directly or through others.
    /// `order` is an order of this graph.
    ///
    /// All pairs are answered together, 512 of the first nodes in one pass over the graph: bits, one for each of them,
    /// flow along the needs.
    pub(crate) fn reached(&self, order: &[u32], pairs: &[(u32, u32)]) -> Vec<bool> {
        const WORDS: usize = 8;
        // Most pairs are neighbours. A long list is not searched once for each of its pairs, though.
        let direct = |first, second| self.needs(second).iter().take(64).any(|need| *need == first);
        let mut answers: Vec<bool> = pairs.iter().map(|(first, second)| direct(*first, *second)).collect();
        let mut open: Vec<usize> = (0..pairs.len()).filter(|index| !answers[*index]).collect();
        open.sort_by_key(|index| pairs[*index].0);
        let mut firsts: Vec<u32> = open.iter().map(|index| pairs[*index].0).collect();
        firsts.dedup();
        let mut rest = open.as_slice();
        for block in firsts.chunks(WORDS * 64) {
            let mut bits = vec![[0_u64; WORDS]; self.len()];
            for node in order {
                let mut mine = [0_u64; WORDS];
                for need in self.needs(*node) {
                    let theirs = &bits[*need as usize];
                    mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine |= theirs);
                }
                if let Ok(bit) = block.binary_search(node) {
                    mine[bit / 64] |= 1 << (bit % 64);
                }
                bits[*node as usize] = mine;
            }
            let (now, later) =
                rest.split_at(rest.partition_point(|index| block.last().is_some_and(|last| pairs[*index].0 <= *last)));
            for index in now {
                let (first, second) = pairs[*index];
                if let Ok(bit) = block.binary_search(&first) {
                    answers[*index] = first != second && bits[second as usize][bit / 64] & (1 << (bit % 64)) != 0;
                }
            }
            rest = later;
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;
    use proptest::prelude::*;

    fn graph(needs: &[Vec<u32>]) -> Graph {
        let mut graph = Graph::new();
        needs.iter().for_each(|needs| graph.push(needs.iter().copied()));
        graph
    }

    #[test]
    fn ties_are_broken_by_number() {
        let graph = graph(&[vec![3], vec![], vec![1], vec![], vec![0, 2]]);
        assert_eq!(graph.order(), Ok(vec![1, 2, 3, 0, 4]));
    }

    #[test]
    fn each_group_gives_one_shortest_cycle() {
        let graph = graph(&[vec![1], vec![2, 0], vec![0], vec![4], vec![3], vec![0]]);
        assert_eq!(graph.order(), Err(vec![vec![0, 1], vec![3, 4]]));
    }

    #[test]
    fn a_circle_of_many_does_not_recurse() {
        let count = 300_000;
        let mut graph = Graph::new();
        (0..count).for_each(|node| graph.push([(node + 1) % count]));
        assert_eq!(graph.order().unwrap_err()[0].len(), count as usize);
    }

    fn some_graph() -> impl Strategy<Value = Vec<Vec<u32>>> {
        (1_u32..30)
            .prop_flat_map(|count| proptest::collection::vec(proptest::collection::vec(0..count, 0..4), count as usize))
    }

    proptest! {
        #[test]
        fn an_order_is_an_order(needs in some_graph()) {
            let graph = graph(&needs);
            match graph.order() {
                Ok(order) => {
                    let mut place = vec![0; order.len()];
                    order.iter().enumerate().for_each(|(at, node)| place[*node as usize] = at);
                    for (node, needs) in needs.iter().enumerate() {
                        prop_assert!(needs.iter().all(|need| place[*need as usize] < place[node]));
                    }
                }
                Err(cycles) => for cycle in cycles {
                    for (at, node) in cycle.iter().enumerate() {
                        prop_assert!(needs[*node as usize].contains(&cycle[(at + 1) % cycle.len()]));
                    }
                },
            }
        }

        #[test]
        fn reached_agrees_with_a_walk(needs in some_graph(), pairs in proptest::collection::vec((0_u32..30, 0_u32..30), 0..40)) {
            // Only needs of lower numbers: no cycles.
            let needs: Vec<Vec<u32>> = needs.iter().enumerate()
                .map(|(node, needs)| needs.iter().copied().filter(|need| (*need as usize) < node).collect()).collect();
            let pairs: Vec<(u32, u32)> = pairs.into_iter().filter(|(a, b)| (*a.max(b) as usize) < needs.len()).collect();
            let graph = graph(&needs);
            let order = graph.order().unwrap();
            let walk = |first: u32, second: u32| {
                let mut todo = needs[second as usize].clone();
                while let Some(node) = todo.pop() {
                    if node == first { return true; }
                    todo.extend(&needs[node as usize]);
                }
                false
            };
            let expected: Vec<bool> = pairs.iter().map(|(a, b)| walk(*a, *b)).collect();
            prop_assert_eq!(graph.reached(&order, &pairs), expected);
        }
    }
}
