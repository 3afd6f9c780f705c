//! `cargo run` writes the bindings of the SDKs for C and Go.

use windlass_bindings::{Failed, generate, sdks};

fn main() -> Result<(), Failed> {
    for (path, text) in generate()? {
        let file = sdks().join(&path);
        if std::fs::read_to_string(&file).ok().as_ref() == Some(&text) {
            continue;
        }
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&file, text).map_err(|error| format!("cannot write {path}: {error}"))?;
        eprintln!("wrote plugin-sdk/{path}");
    }
    Ok(())
}
