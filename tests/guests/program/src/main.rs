//! A WASI command-line program that knows nothing of Windlass: a step by `wasi:cli/run`.
//!
//! `program echo WORDS`, `env`, `args`, `stdin`, `cat FILE`, `list FOLDER`, `write FILE TEXT`,
//! `observe FILE`, `exit CODE`, `panic`.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match act(&words) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "program: {error}");
            ExitCode::from(1)
        }
    }
}

fn act(words: &[&str]) -> io::Result<u8> {
    let mut out = io::stdout();
    match words {
        [] => writeln!(out, "nothing to do")?,
        ["echo", words @ ..] => writeln!(out, "{}", words.join(" "))?,
        ["args"] => writeln!(out, "{:?}", env::args().collect::<Vec<_>>())?,
        ["env"] => {
            for (name, value) in env::vars() {
                writeln!(out, "{name}={value}")?;
            }
        }
        ["stdin"] => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            write!(out, "{text}")?;
        }
        ["cat", file] => out.write_all(&fs::read(file)?)?,
        ["list", folder] => {
            for entry in fs::read_dir(folder)? {
                writeln!(out, "{}", entry?.file_name().display())?;
            }
        }
        ["write", file, text] => fs::write(file, text)?,
        ["observe", file] => fs::write(file, observed()?)?,
        ["exit", code] => return code.parse().map_err(io::Error::other),
        ["panic"] => panic!("told to panic"),
        [other, ..] => return Err(io::Error::other(format!("no such thing to do: {other}"))),
    }
    Ok(0)
}

/// What is another thing each time, as JSON: the time, a random number, what comes from standard input.
fn observed() -> io::Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_nanos();
    let random = RandomState::new().hash_one(0);
    let mut stdin = String::new();
    io::stdin().read_to_string(&mut stdin)?;
    Ok(format!(r#"{{ "now": "{now}", "random": "{random}", "stdin": {stdin:?} }}"#))
}
