//! `windlass plugin push`, without a registry; tests/e2e has it with one.

use crate::support::Folder;

#[test]
fn what_this_windlass_could_not_run_is_not_pushed() {
    let folder = Folder::new().file("x.wasm", "#!/bin/sh");
    folder.windlass(&["plugin", "push", "gone.wasm", "127.0.0.1:9/x:1"]).exits(2).says("there is no file gone.wasm");
    folder.windlass(&["plugin", "push", "x.wasm", "127.0.0.1:9/x:1"]).exits(2).says("is not WebAssembly");
    folder.windlass(&["plugin", "push", "x.wasm", "x"]).exits(2).says("does not begin with a registry");
}
