//! `[environments.*]`: what is otherwise for the stages that belong to one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Reader;
use crate::diagnostic::codes;
use crate::pipeline::Environment;
use crate::suggest::{did_you_mean, quoted};
use crate::tree::NodeId;

impl Reader<'_> {
    /// All environments. The variables are known by now.
    pub(super) fn environments_table(&mut self, at: NodeId) {
        if !self.table(at, "environments", "write `[environments.NAME]` for each environment") {
            return;
        }
        let doc = self.doc;
        for child in doc.children(at) {
            let name = doc.key(child);
            self.check_name(doc.key_span(child), "environment", &name);
            let (mut vars, mut order) = (BTreeMap::new(), self.pipeline.var_order.clone());
            if self.table(child, &name, "an environment is a table: `[environments.NAME]`") {
                for key in doc.children(child) {
                    match &*doc.key(key) {
                        "vars" => (vars, order) = self.environment_vars(key),
                        other => self.unknown_key(key, other, &format!("environment {}", quoted(&name)), &["vars"]),
                    }
                }
            }
            let name: Arc<str> = name.into();
            // Even one that cannot be read is known by its name, so that its stages are not errors, too.
            self.pipeline.environments.push(Environment { name, node: child, vars, order });
        }
    }

    /// The values that stand in for those of `[vars]`, and the order in which all are worked out.
    fn environment_vars(&mut self, at: NodeId) -> (BTreeMap<u32, NodeId>, Vec<u32>) {
        let mut vars = BTreeMap::new();
        if !self.table(at, "vars", "write `vars = { NAME = \"...\" }`") {
            return (vars, self.pipeline.var_order.clone());
        }
        let doc = self.doc;
        let mut needs = self.var_needs.clone();
        let mut values: Vec<NodeId> = self.pipeline.vars.iter().map(|var| var.value).collect();
        for child in doc.children(at) {
            let name = doc.key(child);
            let Some(index) = self.pipeline.var_index.get(&*name).copied() else {
                let known = self.pipeline.vars.iter().map(|var| &*var.name);
                self.sink.error(codes::UNKNOWN_REFERENCE, doc.key_span(child), |diagnostic| {
                    diagnostic.message = format!("no variable is called {}", quoted(&name));
                    let help = did_you_mean(&name, known);
                    diagnostic.help(help.unwrap_or_else(|| {
                        format!(
                            "an environment gives another value to a variable; add `{name} = ...` to `[vars]` for everybody else"
                        )
                    }));
                });
                continue;
            };
            needs[index as usize] = self.var_value(&name, child);
            values[index as usize] = child;
            vars.insert(index, child);
        }
        // Variables that refer to each other without this environment were reported already.
        let order = match vars.is_empty() || (self.pipeline.var_order.is_empty() && !needs.is_empty()) {
            true => self.pipeline.var_order.clone(),
            false => self.var_order(needs, values),
        };
        (vars, order)
    }

    /// The environment that a stage names.
    pub(super) fn environment(&mut self, at: NodeId) -> Option<u32> {
        let name = self.string(at, "environment")?;
        let found = self.pipeline.environment(&name);
        if found.is_none() {
            let known = self.pipeline.environments.iter().map(|known| &*known.name);
            self.sink.error(codes::UNKNOWN_ENVIRONMENT, self.doc.span(at), |diagnostic| {
                diagnostic.message = format!("no environment is called {}", quoted(&name));
                let help = did_you_mean(&name, known);
                diagnostic.help(help.unwrap_or_else(|| format!("add `[environments.{name}]`")));
            });
        }
        found
    }
}
