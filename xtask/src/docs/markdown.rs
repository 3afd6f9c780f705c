//! What there is to do in a Markdown file: its fenced blocks, and what stands around them.

/// A part of the document that a reader acts on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// `<!-- in FOLDER -->`: from here on one is there.
    In(String),
    /// A file with that content.
    File { name: String, text: String },
    /// Commands, each with what it prints.
    Console(Vec<Command>),
}

/// One command of a block `console`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) line: usize,
    pub(super) text: String,
    /// The lines that it is said to print.
    pub(super) prints: Vec<String>,
    /// Whether the next command looks at its exit code.
    pub(super) may_fail: bool,
}

/// Blocks that are there to be looked at.
const SHOWN: [&str; 1] = ["text"];

/// The blocks in their order, or a line and what is wrong with it.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, (usize, String)> {
    let mut blocks = Vec::new();
    let mut before = "";
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        if let Some(folder) = line.strip_prefix("<!-- in ").and_then(|rest| rest.strip_suffix(" -->")) {
            blocks.push(Block { line: number, what: What::In(folder.to_owned()) });
        } else if let Some(kind) = line.strip_prefix("```") {
            let mut content = Vec::new();
            loop {
                match lines.next() {
                    Some((_, "```")) => break,
                    Some((_, line)) => content.push(line),
                    None => return Err((number, "the block has no end".to_owned())),
                }
            }
            if SHOWN.contains(&kind) {
                continue;
            }
            let what = if kind == "console" {
                What::Console(commands(number + 1, &content)?)
            } else {
                let name = named(before).ok_or_else(|| {
                    let why = "no file is named for the block: end the paragraph above it with \"`path/of.file`:\"";
                    (number, why.to_owned())
                })?;
                What::File { name: name.to_owned(), text: content.join("\n") + "\n" }
            };
            blocks.push(Block { line: number, what });
        } else if !line.trim().is_empty() {
            before = line;
        }
    }
    Ok(blocks)
}

/// The file that a paragraph ends with: "and in `cases/a.toml`:".
fn named(line: &str) -> Option<&str> {
    let (_, name) = line.trim_end().strip_suffix("`:")?.rsplit_once('`')?;
    Some(name)
}

fn commands(first: usize, lines: &[&str]) -> Result<Vec<Command>, (usize, String)> {
    let mut commands: Vec<Command> = Vec::new();
    let mut goes_on = false;
    for (index, line) in lines.iter().enumerate() {
        let number = first + index;
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (None, Some(last)) if goes_on => {
                last.text.push('\n');
                last.text.push_str(line);
                goes_on = line.ends_with('\\');
            }
            (Some(text), last) => {
                if let (Some(last), true) = (last, text == "echo $?") {
                    last.may_fail = true;
                }
                goes_on = text.ends_with('\\');
                commands.push(Command { line: number, text: text.to_owned(), ..Command::default() });
            }
            (None, Some(last)) => last.prints.push((*line).to_owned()),
            (None, None) => return Err((number, "the block `console` does not begin with `$ `".to_owned())),
        }
    }
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_what_there_is_to_do() {
        let text = "# A\n\n<!-- in a -->\n\nNow `b.toml`:\n\n```toml\nc = 1\n```\n\n```text\nnot run\n```\n\n\
                    ```console\n$ one \\\n  two\nsaid\n\nmore\n$ false\n$ echo $?\n1\n```\n";
        let command = |line, text: &str, prints: &[&str], may_fail| Command {
            line,
            text: text.to_owned(),
            prints: prints.iter().map(|line| (*line).to_owned()).collect(),
            may_fail,
        };
        let expected = [
            (3, What::In("a".to_owned())),
            (7, What::File { name: "b.toml".to_owned(), text: "c = 1\n".to_owned() }),
            (
                15,
                What::Console(vec![
                    command(16, "one \\\n  two", &["said", "", "more"], false),
                    command(21, "false", &[], true),
                    command(22, "echo $?", &["1"], false),
                ]),
            ),
        ];
        let expected = expected.into_iter().map(|(line, what)| Block { line, what });
        assert_eq!(blocks(text), Ok(expected.collect()));
    }

    #[test]
    fn a_block_that_nobody_could_run_is_a_mistake() {
        for (text, line, part) in [
            ("x:\n```toml\n```\n", 2, "no file"),
            ("```console\nsaid\n```\n", 2, "does not begin"),
            ("\n```console\n$ a\n", 2, "no end"),
        ] {
            let (at, why) = blocks(text).expect_err(text);
            assert!(at == line && why.contains(part), "{at}: {why}");
        }
    }
}
