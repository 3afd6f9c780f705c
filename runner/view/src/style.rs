//! How to print: decided by the command line, never probed here.

/// For whom to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON value, or one a line.
    Json,
}

/// What the output can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether it takes colours.
    pub color: bool,
    /// How many columns it has.
    pub width: usize,
    /// Whether it is a terminal, on which lines can be drawn over.
    pub live: bool,
}

impl Default for Style {
    /// A pipe: no colours, 100 columns, nothing drawn over.
    fn default() -> Self {
        Self { color: false, width: 100, live: false }
    }
}
