//! Text that is written line by line, with what lies within braces moved in by a tab.

/// A file to be.
#[derive(Default)]
pub struct Text {
    written: String,
    depth: usize,
}

impl Text {
    /// One that begins with this.
    #[must_use]
    pub fn beginning(text: String) -> Self {
        Self { written: text, depth: 0 }
    }

    /// A line. One that begins with a closing brace or bracket goes back a tab, after one that ends with an opening
    /// one the next go in.
    pub fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if line.starts_with(['}', ')']) {
            self.depth = self.depth.saturating_sub(1);
        }
        // Go's cases stand as far in as their switch.
        let depth =
            if line.starts_with("case ") || line == "default:" { self.depth.saturating_sub(1) } else { self.depth };
        if !line.is_empty() {
            self.written.extend(std::iter::repeat_n('\t', depth));
            self.written.push_str(line);
        }
        self.written.push('\n');
        if line.ends_with(['{', '(']) {
            self.depth += 1;
        }
    }

    /// Some lines.
    pub fn lines<S: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = S>) {
        for line in lines {
            self.line(line);
        }
    }

    /// Documentation as comments.
    pub fn docs(&mut self, docs: &str) {
        self.lines(docs.lines().map(|line| format!("// {line}").trim_end().to_owned()));
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.written
    }
}
