//! Steps that may run at the same time must not be able to write the same folder.

use std::collections::BTreeMap;

use super::Scope;
use crate::diagnostic::{Sink, codes};
use crate::grants::pattern::Folder;
use crate::suggest::quoted;

/// A folder that a step may write.
pub(super) struct Writer {
    /// The step and its stage, by their numbers in the file.
    pub(super) step: u32,
    pub(super) stage: u32,
    pub(super) folder: Folder,
    /// Where it is granted, as an offset into the file.
    pub(super) place: std::ops::Range<usize>,
}

/// Reports each step that could write where another one does at the same time.
///
/// Writers of one folder must be a chain: each stage before the next. So it is enough to look at neighbours in the
/// plan's order; and for a folder within another, at the outer writers just before and just behind. Ten thousand steps
/// that write cost ten thousand comparisons, not fifty million.
pub(super) fn check(scope: &Scope<'_>, writers: &[Writer], sink: &mut Sink) {
    let order = &scope.pipeline.order;
    if order.is_empty() || writers.len() < 2 {
        return;
    }
    let mut rank = vec![0_u32; order.len()];
    order.iter().enumerate().for_each(|(at, stage)| rank[*stage as usize] = at as u32);
    let ranked = |writer: &Writer| (rank[writer.stage as usize], writer.step);

    let mut by_folder: BTreeMap<(bool, Vec<&str>), Vec<usize>> = BTreeMap::new();
    for (index, writer) in writers.iter().enumerate() {
        let key = (writer.folder.is_absolute(), writer.folder.parts().collect());
        by_folder.entry(key).or_default().push(index);
    }
    for group in by_folder.values_mut() {
        group.sort_by_key(|index| ranked(&writers[*index]));
    }

    // Pairs of writers, the one that is earlier in the plan first.
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for ((absolute, parts), group) in &by_folder {
        pairs.extend(group.windows(2).map(|pair| (pair[0], pair[1])));
        for length in 0..parts.len() {
            let Some(outer) = by_folder.get(&(*absolute, parts[..length].to_vec())) else { continue };
            for inner in group {
                let at = outer.partition_point(|index| ranked(&writers[*index]) < ranked(&writers[*inner]));
                pairs.extend(at.checked_sub(1).and_then(|at| outer.get(at)).map(|before| (*before, *inner)));
                pairs.extend(outer.get(at).map(|behind| (*inner, *behind)));
            }
        }
    }
    pairs.retain(|(first, second)| writers[*first].stage != writers[*second].stage);
    let stages: Vec<(u32, u32)> =
        pairs.iter().map(|(first, second)| (writers[*first].stage, writers[*second].stage)).collect();
    let reached = scope.pipeline.graph.reached(order, &stages);
    for ((first, second), _) in pairs.iter().zip(reached).filter(|(_, reached)| !reached) {
        report(scope, &writers[*first], &writers[*second], sink);
    }
}

fn report(scope: &Scope<'_>, first: &Writer, second: &Writer, sink: &mut Sink) {
    let name = |writer: &Writer| {
        let step = &scope.pipeline.steps[writer.step as usize];
        let stage = &scope.pipeline.stages[step.stage as usize].name;
        (quoted(&step.name), stage.clone())
    };
    let ((step, stage), (other, other_stage)) = (name(second), name(first));
    sink.error(codes::WRITE_CONFLICT, second.place.clone(), |diagnostic| {
        let folder = quoted(&second.folder.to_string());
        diagnostic.message = format!(
            "step {step} of stage {} may write {folder} at the same time as step {other} of stage {}",
            quoted(&stage),
            quoted(&other_stage)
        );
        diagnostic.related(first.place.clone(), format!("step {other} of stage {} writes here", quoted(&other_stage)));
        diagnostic.help(format!(
            "write different folders, or let stage {} need {}",
            quoted(&stage),
            quoted(&other_stage)
        ));
    });
}
