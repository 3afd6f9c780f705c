//! Text to tree: drives the lexer and the event parser, and turns their complaints into diagnostics.

use std::borrow::Cow;

use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::lexer::{Token, TokenKind};
use toml_parser::parser::{EventReceiver, parse_document};
use toml_parser::{ErrorSink, Expected, ParseError, Raw, Source, Span};

use super::semantics::{Builder, Key};
use super::{Kind, MAX_DEPTH, Tree, integer_of};
use crate::diagnostic::{Sink, codes};
use crate::suggest::quoted;

/// Tokens are handed to the parser in portions of about this many, so that those of a large file never exist at once.
const PORTION: usize = 4096;

/// Reads the text. Whatever is wrong with it goes to `sink`, and the tree holds what could be read.
pub(crate) fn build(text: &str, sink: &mut Sink) -> Tree {
    let source = Source::new(text);
    let mut receiver = Receiver { text, builder: Builder::new(text), refused: false, header: None };
    let mut errors = Syntax::default();
    let mut tokens: Vec<Token> = Vec::with_capacity((text.len() / 2).min(PORTION) + 64);
    let (mut brackets, mut braces) = (0_usize, 0_usize);
    let mut flush = |tokens: &mut Vec<Token>, errors: &mut Syntax| {
        receiver.begin_portion();
        parse_document(tokens, &mut receiver, errors);
        tokens.clear();
        !receiver.builder.full()
    };
    for token in source.lex() {
        match token.kind() {
            TokenKind::LeftSquareBracket => brackets += 1,
            TokenKind::RightSquareBracket => brackets = brackets.saturating_sub(1),
            TokenKind::LeftCurlyBracket => braces += 1,
            TokenKind::RightCurlyBracket => braces = braces.saturating_sub(1),
            _ => {}
        }
        let complete = token.kind() == TokenKind::Newline && brackets == 0 && braces == 0;
        tokens.push(token);
        // A line end outside all brackets is between two expressions, so the parser keeps nothing across it.
        if complete && tokens.len() >= PORTION && !flush(&mut tokens, &mut errors) {
            break;
        }
    }
    if !flush(&mut tokens, &mut errors) {
        sink.error(codes::TOO_LARGE, text.len()..text.len(), |diagnostic| {
            diagnostic.message = "the file holds too many values".to_owned();
            diagnostic.help("split the pipeline, or generate less");
        });
        sink.mark_broken();
    }
    let tree = receiver.builder.finish(sink);
    errors.report(text, sink);
    tree
}

/// The parser's complaints, bounded.
#[derive(Default)]
struct Syntax {
    kept: Vec<ParseError>,
    count: usize,
}

impl ErrorSink for Syntax {
    fn report_error(&mut self, error: ParseError) {
        self.count += 1;
        if self.kept.len() < crate::diagnostic::MAX_SHOWN {
            self.kept.push(error);
        }
    }
}

impl Syntax {
    fn report(self, text: &str, sink: &mut Sink) {
        if self.count > 0 {
            sink.mark_broken();
        }
        let beyond = self.count - self.kept.len();
        for error in self.kept {
            let at = error.unexpected().or(error.context()).unwrap_or_default();
            let span = clamp(text, at.start())..clamp(text, at.end());
            sink.error(codes::SYNTAX, span, |diagnostic| {
                diagnostic.message = message(&error, at).to_owned();
                let quotes = error.description() == "string values must be quoted";
                if let Some(expected) = error.expected().and_then(expected).filter(|_| !quotes) {
                    diagnostic.expected(format!("expected {expected}"));
                }
                let unclosed = error.description().starts_with("unclosed");
                if let Some(context) = error.context().filter(|context| unclosed && context.start() < at.start()) {
                    diagnostic.related(clamp(text, context.start())..clamp(text, context.end()), "opened here");
                }
                if let Some(help) = help(text, &error, at) {
                    diagnostic.help(help);
                }
            });
        }
        sink.count_errors(beyond);
    }
}

/// Offsets of the parser are offsets of tokens; this only guards against one that is not.
fn clamp(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn expected(list: &'static [Expected]) -> Option<String> {
    let words: Vec<Cow<'static, str>> = list
        .iter()
        .filter_map(|one| match one {
            Expected::Literal("\n") => Some("the end of the line".into()),
            Expected::Literal(text) => Some(format!("`{text}`").into()),
            Expected::Description(text) => Some((*text).into()),
            _ => None,
        })
        .collect();
    (!words.is_empty()).then(|| words.join(" or "))
}

/// The parser's words, where there are no better ones.
fn message(error: &ParseError, at: Span) -> &str {
    let expects = |text| error.expected().is_some_and(|list| list.contains(&Expected::Literal(text)));
    match error.description() {
        "string values must be quoted" if at.is_empty() => "the value is missing",
        "string values must be quoted" => "a text must stand in quotes",
        "invalid basic string" if expects("\"") => "this string has no end",
        "invalid literal string" if expects("'") => "this string has no end",
        "invalid multi-line basic string" if expects("\"") => "this string has no end",
        "invalid multi-line literal string" if expects("'") => "this string has no end",
        other => other,
    }
}

/// The commonest slip is a text without quotes.
fn help(text: &str, error: &ParseError, at: Span) -> Option<String> {
    let context = error.context().unwrap_or(at);
    let raw = text.get(context.start()..context.end())?.trim();
    let bare = !raw.is_empty() && raw.len() < 100 && raw.chars().all(|c| c.is_alphanumeric() || "_-./: ".contains(c));
    let value = error.description().contains("string values must be quoted");
    (bare && value).then(|| format!("put the text in quotes: `\"{raw}\"`"))
}

struct Receiver<'s> {
    text: &'s str,
    builder: Builder<'s>,
    /// A container was refused for its depth, and its end has yet to come.
    refused: bool,
    /// A table header that has begun: whether of an array, and where.
    header: Option<(bool, Span)>,
}

impl<'s> Receiver<'s> {
    fn begin_portion(&mut self) {
        self.refused = false;
        self.header = None;
        self.builder.begin_expression();
    }

    fn raw(&self, span: Span, encoding: Option<Encoding>) -> Raw<'s> {
        let text = self.text.get(span.start()..span.end()).unwrap_or_default();
        Raw::new_unchecked(text, encoding, span)
    }

    fn open(&mut self, span: Span, kind: Kind) -> bool {
        if self.builder.depth() >= MAX_DEPTH {
            self.builder.too_deep(span);
            self.refused = true;
            return false;
        }
        self.builder.open(span, kind);
        true
    }

    fn close(&mut self, span: Span) {
        if self.refused {
            self.refused = false;
        } else {
            self.builder.close(span);
        }
    }
}

impl EventReceiver for Receiver<'_> {
    fn std_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.builder.begin_expression();
        self.header = Some((false, span));
    }

    fn array_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.builder.begin_expression();
        self.header = Some((true, span));
    }

    fn std_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        if let Some((array, open)) = self.header.take() {
            self.builder.header(open.append(span), array);
        }
    }

    fn array_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.std_table_close(span, error);
    }

    fn inline_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.open(span, Kind::Table)
    }

    fn inline_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span);
    }

    fn array_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.open(span, Kind::Array)
    }

    fn array_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span);
    }

    fn simple_key(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let mut faults = Counting { inner: error, count: 0 };
        let mut name = Cow::Borrowed("");
        self.raw(span, encoding).decode_key(&mut name, &mut faults);
        let good = faults.count == 0;
        self.builder.key(Key { start: span.start() as u32, end: span.end() as u32, name, good });
    }

    fn scalar(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let raw = self.raw(span, encoding);
        let mut faults = Counting { inner: error, count: 0 };
        let kind = match raw.decode_scalar(&mut (), &mut faults) {
            ScalarKind::String => Kind::String,
            ScalarKind::Boolean(_) => Kind::Bool,
            ScalarKind::DateTime => Kind::DateTime,
            ScalarKind::Float => Kind::Float,
            ScalarKind::Integer(_) => Kind::Integer,
        };
        if faults.count == 0 && kind == Kind::Integer && integer_of(raw.as_str()).is_none() {
            let message = format!("the number {} does not fit into 64 bits", quoted(raw.as_str()));
            faults.report_error(ParseError::new(message).with_unexpected(span));
        }
        let kind = if faults.count == 0 { kind } else { Kind::Broken };
        self.builder.put_value(span, kind);
    }

    fn newline(&mut self, _: Span, _: &mut dyn ErrorSink) {
        // A header whose end never came: what follows belongs to no table that is known.
        if self.header.take().is_some() {
            self.builder.lost_header();
        }
        self.builder.end_of_line();
    }

    fn comment(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.raw(span, None).decode_comment(error);
    }
}

/// Passes complaints on and counts them.
struct Counting<'a> {
    inner: &'a mut dyn ErrorSink,
    count: usize,
}

impl ErrorSink for Counting<'_> {
    fn report_error(&mut self, error: ParseError) {
        self.count += 1;
        self.inner.report_error(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Doc, NodeId};

    fn errors(text: &str) -> Vec<String> {
        let mut sink = Sink::default();
        build(text, &mut sink);
        let source = crate::Source { name: "t".into(), text: text.into() };
        sink.finish(&source).iter().map(|one| format!("{}:{} {}", one.line, one.column, one.message)).collect()
    }

    #[test]
    fn values_keep_their_places() {
        let text = "a.b = \"x\"\n[t]\nn = 1_000\nl = [true, 'y']\n[[t.e]]\nf = 1.5\n";
        let mut sink = Sink::default();
        let tree = build(text, &mut sink);
        assert!(!sink.has_errors());
        let doc = Doc::new(&tree, text);
        let get = |path: &[&str]| path.iter().fold(NodeId::ROOT, |at, key| doc.get(at, key).unwrap());
        assert_eq!(doc.string(get(&["a", "b"])).as_deref(), Some("x"));
        assert_eq!(&text[doc.span(get(&["a", "b"]))], "\"x\"");
        assert_eq!(doc.integer(get(&["t", "n"])), Some(1000));
        assert_eq!(doc.children(get(&["t", "l"])).count(), 2);
        let element = doc.children(get(&["t", "e"])).next().unwrap();
        assert_eq!(doc.float(doc.get(element, "f").unwrap()), Some(1.5));
        assert_eq!(&text[doc.span(element)], "[[t.e]]");
    }

    #[test]
    fn the_rules_of_toml_for_tables_hold() {
        for good in [
            "[a.b]\n[a]\nx=1",
            "[a]\nb.c=1\nb.d=2\n[a.b.e]",
            "[[a]]\n[a.b]\n[[a]]\n[a.b]",
            "a.b=1\na.c=2",
            "a={b.c=1,b.d=2}",
            "[a.b.c]\n[a]\nx=1\n[a.b]",
        ] {
            assert_eq!(errors(good), Vec::<String>::new(), "{good}");
        }
        for bad in [
            "[a]\n[a]",
            "a=1\na=2",
            "a=1\n[a]",
            "a={}\n[a.b]",
            "a={}\na.b=1",
            "[a]\nb.c=1\n[a.b]",
            "[[a]]\n[a]",
            "a=[]\n[[a]]",
            "[a.b]\nx=1\n[a]\nb.y=2",
            "a.b=1\na=2",
            "[a]\n[[a]]",
            "a=1\na.b=1",
        ] {
            assert_eq!(errors(bad).len(), 1, "{bad}: {:?}", errors(bad));
        }
    }

    #[test]
    fn depth_is_bounded_everywhere() {
        let deep = [
            format!("a={}", "[".repeat(100_000)),
            format!("a={}{}", "[".repeat(1000), "]".repeat(1000)),
            format!("a={}1{}", "{a=".repeat(1000), "}".repeat(1000)),
            format!("{}a=1", "a.".repeat(1000)),
            format!("[{}a]\nx=1", "a.".repeat(1000)),
            "{".repeat(100_000),
        ];
        for text in deep {
            assert!(!errors(&text).is_empty(), "{}", &text[..20]);
        }
    }

    #[test]
    fn a_portion_ends_between_expressions() {
        let mut text = String::new();
        for index in 0..10_000 {
            text.push_str(&format!("k{index} = [\n 1,\n {{ a = 2,\n b = 3 }} ]\n"));
        }
        assert_eq!(errors(&text), Vec::<String>::new());
    }
}
