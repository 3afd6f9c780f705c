//! A Dockerfile as far as errors need it: which instruction stands on which line.

use crate::reference::Reference;

/// A Dockerfile.
#[derive(Debug)]
pub(super) struct Dockerfile {
    shown: String,
    instructions: Vec<Instruction>,
    lines: Vec<String>,
    syntax: Option<String>,
}

/// One instruction, which may go over several lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// All of it on one line, with single blanks.
    pub(super) text: String,
}

impl Dockerfile {
    /// Reads a Dockerfile. There are no errors here: what is wrong with it the builder says.
    pub(super) fn parse(shown: &str, text: &str) -> Self {
        let lines: Vec<String> =
            text.trim_start_matches('\u{feff}').lines().map(|line| line.trim_end().to_owned()).collect();
        let (escape, syntax) = directives(&lines);
        let mut instructions = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            if is_blank(&lines[at]) {
                at += 1;
                continue;
            }
            let line = at + 1;
            let mut joined = String::new();
            while at < lines.len() {
                let current = lines[at].trim();
                at += 1;
                // Blank lines and comments within an instruction are passed over.
                if is_blank(current) && !joined.is_empty() {
                    continue;
                }
                match current.strip_suffix(escape) {
                    Some(part) => {
                        joined.push_str(part);
                        joined.push(' ');
                    }
                    None => {
                        joined.push_str(current);
                        break;
                    }
                }
            }
            for end in heredocs(&joined) {
                while at < lines.len() && lines[at].trim_start_matches('\t') != end {
                    at += 1;
                }
                at += 1;
            }
            instructions.push(Instruction { line, text: words(&joined) });
        }
        Self { shown: shown.to_owned(), instructions, lines, syntax }
    }

    /// Its path for people.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The frontend that a `# syntax=` line asks for.
    pub(super) fn syntax(&self) -> Option<&str> {
        self.syntax.as_deref()
    }

    /// The text of a line, from 1.
    pub(super) fn line(&self, number: usize) -> Option<&str> {
        self.lines.get(number.checked_sub(1)?).map(|line| line.trim())
    }

    /// The instruction that stands in the Dockerfile `index` places after the first.
    pub(super) fn nth(&self, index: usize) -> Option<&Instruction> {
        self.instructions.get(index)
    }

    /// The instruction with this text, if there is exactly one: a builder names steps by their text.
    pub(super) fn find(&self, text: &str) -> Option<&Instruction> {
        let text = words(text);
        let mut found = self.instructions.iter().filter(|instruction| instruction.text.eq_ignore_ascii_case(&text));
        found.next().filter(|_| found.next().is_none())
    }

    /// The instruction that wants this image: a `FROM`, or a `COPY --from`. Of an image whose path is not known, as
    /// `registry/unknown`, the first one of that registry.
    pub(super) fn wanting(&self, image: &Reference) -> Option<&Instruction> {
        let wants = |same: &dyn Fn(&Reference) -> bool| {
            self.instructions.iter().find(|instruction| {
                instruction.image().is_some_and(|text| Reference::parse(text).is_ok_and(|wanted| same(&wanted)))
            })
        };
        wants(&|wanted| wanted.is_same_image(image)).or_else(|| {
            wants(&|wanted| wanted.registry() == image.registry() && image.repository.ends_with("/unknown"))
        })
    }
}

impl Instruction {
    /// The image that it takes something from, if it says one.
    pub(super) fn image(&self) -> Option<&str> {
        let mut words = self.text.split(' ');
        match words.next()?.to_ascii_uppercase().as_str() {
            "FROM" => words.find(|word| !word.starts_with("--")),
            "COPY" => words.find_map(|word| word.strip_prefix("--from=")),
            _ => None,
        }
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The escape character and the frontend, from the comments at the very top.
fn directives(lines: &[String]) -> (char, Option<String>) {
    let (mut escape, mut syntax) = ('\\', None);
    for line in lines {
        let Some((name, value)) = line.trim().strip_prefix('#').and_then(|rest| rest.split_once('=')) else { break };
        match name.trim().to_ascii_lowercase().as_str() {
            "escape" => escape = value.trim().chars().next().unwrap_or(escape),
            "syntax" => syntax = Some(value.trim().to_owned()),
            "check" => {}
            _ => break,
        }
    }
    (escape, syntax)
}

/// The words that end the here-documents of an instruction, in order.
fn heredocs(instruction: &str) -> Vec<String> {
    let takes = instruction
        .split_whitespace()
        .next()
        .is_some_and(|word| ["run", "copy", "add"].iter().any(|name| word.eq_ignore_ascii_case(name)));
    if !takes {
        return Vec::new();
    }
    instruction
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("<<"))
        .map(|word| word.trim_start_matches('-').trim_matches(['"', '\'']).to_owned())
        .filter(|word| word.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# syntax=docker/dockerfile:1\n\
        # escape=\\\n\
        ARG BASE=x\n\
        FROM --platform=linux/amd64 localhost:5000/base:1 AS build\n\
        \n\
        RUN one && \\\n\
        # a comment within\n\
        \x20   two\n\
        COPY <<EOF /etc/motd\n\
        RUN not an instruction\n\
        EOF\n\
        RUN last\n";

    fn wanting(file: &Dockerfile, image: &str) -> Option<usize> {
        file.wanting(&Reference::parse(image).expect("a name")).map(|instruction| instruction.line)
    }

    #[test]
    fn instructions_are_where_they_are() {
        let file = Dockerfile::parse("Dockerfile", TEXT);
        let found: Vec<_> = (0..)
            .map_while(|index| file.nth(index))
            .map(|instruction| (instruction.line, instruction.text.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (3, "ARG BASE=x"),
                (4, "FROM --platform=linux/amd64 localhost:5000/base:1 AS build"),
                (6, "RUN one && two"),
                (9, "COPY <<EOF /etc/motd"),
                (12, "RUN last"),
            ]
        );
        assert_eq!(file.syntax(), Some("docker/dockerfile:1"));
        assert_eq!(file.line(12), Some("RUN last"));
        assert_eq!(file.line(0), None);
    }

    #[test]
    fn a_step_is_found_by_its_text() {
        let file = Dockerfile::parse("Dockerfile", TEXT);
        assert_eq!(file.find("RUN one &&     two").map(|instruction| instruction.line), Some(6));
        assert_eq!(file.find("RUN other"), None);
        assert_eq!(wanting(&file, "localhost:5000/base:1"), Some(4));
        assert_eq!(wanting(&file, "localhost:5000/unknown"), Some(4));
        assert_eq!(wanting(&file, "localhost:5000/other"), None);
        assert_eq!(Dockerfile::parse("Dockerfile", "RUN a\nRUN a\n").find("RUN a"), None);
        assert_eq!(
            wanting(
                &Dockerfile::parse(
                    "Dockerfile",
                    "FROM alpine
"
                ),
                "docker.io/library/alpine:latest"
            ),
            Some(1)
        );
        assert_eq!(
            wanting(
                &Dockerfile::parse(
                    "Dockerfile",
                    "FROM x
COPY --from=tools:2 /a /b"
                ),
                "docker.io/library/tools:2"
            ),
            Some(2)
        );
    }

    #[test]
    fn another_escape_character_joins_lines() {
        let file = Dockerfile::parse("Dockerfile", "# escape=`\nRUN a `\n  b\n");
        assert_eq!(file.nth(0).map(|instruction| instruction.text.as_str()), Some("RUN a b"));
    }
}
