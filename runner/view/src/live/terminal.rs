//! Live progress on a terminal: lines that stay, and below them a block that is drawn over.
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use windlass_journal::{Entry, LogView, Observer, Record, Status, StepIndex, now_micros};

use super::{LiveOptions, TerminalSize};
use crate::approvals::{asked, decided, how};
use crate::calls::denial;
use crate::clean::one_line;
use crate::lines::{LastLine, Lines, push_prefixed};
use crate::model::RunModel;
use crate::style::Style;
use crate::text::{BOLD, DIM, RED, YELLOW, count, duration, paint, shorten, sign, size, status};

/// The terminal is drawn at most this often.
const FRAME: Duration = Duration::from_millis(80);

/// The most steps that the block shows.
const MOST_STEPS: usize = 12;

/// Rows of a terminal that does not tell.
const ROWS: usize = 24;

/// Log lines that wait for a terminal that is paused; beyond it they are left out.
const FULL: usize = 1 << 20;

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Hands what happens to the thread that draws.
pub(super) struct Terminal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    screen: Mutex<Screen>,
    over: Condvar,
}

/// What is to be drawn.
pub(super) struct Screen {
    model: RunModel,
    /// The newest line of each running step.
    last: HashMap<StepIndex, LastLine>,
    /// With `verbose`, the lines that steps print.
    lines: Option<Lines>,
    /// Lines that stay, not yet drawn.
    above: String,
    style: Style,
    over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Terminal {
    pub(super) fn new(options: LiveOptions, out: Box<dyn Write + Send>) -> Self {
        let screen = Screen::new(options.before, options.style, options.verbose);
        let shared = Arc::new(Shared { screen: Mutex::new(screen), over: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let size = options.size;
        let thread = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || draw(&theirs, size, out));
        // A system without room for a thread gets no live output; the run matters more.
        Self { shared, thread: thread.ok() }
    }
}

impl Observer for Terminal {
    fn committed(&mut self, entries: &[Entry], logs: &LogView<'_>) {
        let mut screen = self.shared.lock();
        for entry in entries {
            screen.take(entry, logs);
        }
        if self.thread.is_none() {
            screen.above.clear();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.over.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the output's own code has nothing more to say here.
            let _ = thread.join();
        }
    }
}

/// The drawing thread's life. Frames come at a steady pace, however much happens between them.
fn draw(shared: &Shared, size: Option<TerminalSize>, mut out: Box<dyn Write + Send>) {
    let (mut drawn, mut tick) = (0, 0);
    let mut before = String::new();
    loop {
        let mut screen = shared.lock();
        if !screen.over {
            screen = shared.over.wait_timeout(screen, FRAME).unwrap_or_else(PoisonError::into_inner).0;
        }
        let over = screen.over;
        let (columns, rows) = size.and_then(|size| size()).unwrap_or((screen.style.width, ROWS));
        let above = std::mem::take(&mut screen.above);
        let block = if over { String::new() } else { screen.block(columns, rows, now_micros(), tick) };
        drop(screen);
        tick = tick.wrapping_add(1);
        if !above.is_empty() || block != before {
            let text = frame(drawn, &above, &block);
            drawn = block.lines().count();
            before = block;
            if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                return;
            }
        }
        if over {
            return;
        }
    }
}

/// What to write so that the `drawn` lines of the last block give way to lines that stay and to a
/// new block. In one piece, and with the terminal told so, it does not flicker. Lines of the block
/// do not wrap, so that their number is known whatever the characters' width.
fn frame(drawn: usize, above: &str, block: &str) -> String {
    let mut text = String::with_capacity(above.len() + block.len() + 64);
    text.push_str("\x1b[?2026h");
    if drawn > 0 {
        let _ = write!(text, "\x1b[{drawn}A\r\x1b[J");
    }
    text.push_str(above);
    if !block.is_empty() {
        let _ = write!(text, "\x1b[?7l{block}\x1b[?7h");
    }
    text.push_str("\x1b[?2026l");
    text
}

impl Screen {
    pub(super) fn new(before: RunModel, style: Style, verbose: bool) -> Self {
        let mut screen = Self {
            model: before,
            last: HashMap::new(),
            lines: verbose.then(Lines::default),
            above: String::new(),
            style,
            over: false,
        };
        if screen.model.started.is_some() {
            screen.header("goes on");
        }
        screen
    }

    /// Takes in a record.
    pub(super) fn take(&mut self, entry: &Entry, logs: &LogView<'_>) {
        if let Record::StepEnded { step, attempt, .. } = &entry.record {
            self.last.remove(step);
            let (path, color, above) = (self.model.path(*step), self.style.color, &mut self.above);
            if let Some(lines) = &mut self.lines {
                lines.finish(*step, *attempt, |_, line| push_prefixed(above, &path, *step, *attempt, line, color));
            }
        }
        self.model.apply(entry);
        match &entry.record {
            Record::RunStarted(_) => self.header("started"),
            Record::StepEnded { step, .. } => self.step_ended(*step),
            Record::StageEnded { name, status: Status::Skipped, .. } => {
                self.stay(DIM, sign(Status::Skipped), &format!("{} skipped", one_line(name)));
            }
            Record::Log { step, attempt, stream, .. } => {
                let bytes = logs.of(&entry.record).unwrap_or_default();
                if self.model.steps.contains_key(step) {
                    self.last.entry(*step).or_default().push(bytes);
                }
                if self.above.len() < FULL
                    && let Some(lines) = &mut self.lines
                {
                    let (path, color, above) = (self.model.path(*step), self.style.color, &mut self.above);
                    lines.push((*step, *attempt, *stream), bytes, |line| {
                        push_prefixed(above, &path, *step, *attempt, line, color);
                    });
                }
            }
            Record::CallRecorded { call, function, answer, .. } => {
                if let Some(reason) = denial(answer) {
                    let path = one_line(&self.model.path(call.step));
                    self.stay(
                        YELLOW,
                        "!",
                        &format!("{path}: {} was denied: {}", one_line(function), one_line(&reason)),
                    );
                }
            }
            Record::LogCut { step, limit, .. } => {
                let text = format!(
                    "{}: its log has reached {} and is cut there",
                    one_line(&self.model.path(*step)),
                    size(*limit)
                );
                self.stay(YELLOW, "!", &text);
            }
            Record::Notice { step, message } => {
                let about = step.map_or_else(String::new, |step| format!("{}: ", one_line(&self.model.path(step))));
                self.stay(YELLOW, "!", &format!("{about}{}", one_line(message)));
            }
            Record::ApprovalAsked { stage, message, .. } => {
                let run = self.model.started.as_ref().map_or("latest", |started| &started.run);
                let text = format!("{} {}\n  {}", one_line(stage), asked(message), how(run, stage));
                self.stay(YELLOW, "?", &text);
            }
            Record::Decided { stage, decision, .. } => {
                self.stay(BOLD, "!", &format!("{} {}", one_line(stage), decided(decision)));
            }
            Record::CancelRequested { by } => self.stay(YELLOW, "!", &format!("cancel requested by {}", one_line(by))),
            Record::RunEnded { .. } => {
                let (model, color, above) = (&self.model, self.style.color, &mut self.above);
                if let Some(lines) = &mut self.lines {
                    lines.finish_all(|step, attempt, _, line| {
                        push_prefixed(above, &model.path(step), step, attempt, line, color)
                    });
                }
            }
            _ => {}
        }
    }

    fn header(&mut self, how: &str) {
        let Some(started) = &self.model.started else { return };
        let line = format!("run {} of {} {how}", one_line(&started.run), one_line(&started.pipeline));
        let _ = writeln!(self.above, "{}", paint(self.style.color, BOLD, line));
    }

    /// Adds a line that stays.
    fn stay(&mut self, style: anstyle::Style, sign: &str, text: &str) {
        let _ = writeln!(self.above, "{} {text}", paint(self.style.color, style, sign));
    }

    fn step_ended(&mut self, index: StepIndex) {
        let Some((step, last)) = self.model.steps.get(&index).and_then(|step| Some((step, step.attempts.last()?)))
        else {
            return;
        };
        let Some(ended) = last.status else { return };
        let mut text = format!(
            "{}  {}",
            one_line(&step.path),
            duration(last.started_at, last.ended_at.unwrap_or(last.started_at))
        );
        if last.number > 1 {
            let _ = write!(text, " (attempt {})", last.number);
        }
        match &last.failure {
            Some(failure) if ended != Status::Succeeded => {
                let why = one_line(failure.message.lines().next().unwrap_or_default());
                let _ = write!(text, "  {}", paint(self.style.color, RED, shorten(&why, self.style.width.max(40))));
            }
            _ => {}
        }
        self.stay(status(Some(ended)).1, sign(ended), &text);
    }

    /// The block: the steps that run, and how far the run is.
    pub(super) fn block(&self, columns: usize, rows: usize, now: u64, tick: usize) -> String {
        let model = &self.model;
        let color = self.style.color;
        let mut text = String::new();
        let Some(started) = &model.started else { return text };
        let most = rows.saturating_sub(4).clamp(1, MOST_STEPS);
        let shown: Vec<_> = model.running().take(most).collect();
        let width = shown.iter().map(|(_, step)| step.path.chars().count()).max().unwrap_or(0).min(columns / 2);
        let spinner = SPINNER[tick % SPINNER.len()];
        for (index, step) in &shown {
            let since = step.attempts.last().map_or(now, |attempt| attempt.started_at);
            let path = shorten(&one_line(&step.path), width);
            let took = seconds(since, now);
            let doing = match self.last.get(index).map(LastLine::text).filter(|text| !text.trim().is_empty()) {
                Some(text) => text.trim().to_owned(),
                None => step.open.as_ref().map_or_else(String::new, |open| match &open.about {
                    Some(about) => one_line(&format!("{} {about}", open.function)),
                    None => one_line(&open.function),
                }),
            };
            let room = columns.saturating_sub(width + 12);
            let doing = shorten(&doing, room);
            let line = format!("{spinner} {path:width$}  {took:>6}  {}", paint(color, DIM, doing));
            let _ = writeln!(text, "{}", line.trim_end());
        }
        // Steps that wait are among those that run.
        let stages = model.approvals.iter().filter_map(|(stage, approval)| Some((stage, approval.asked.as_ref()?)));
        for (stage, asked) in stages.filter(|(_, asked)| asked.call.is_none()).take(most) {
            let line = format!("? {}  {:>6}  waits for approval", one_line(stage), seconds(asked.since, now));
            let _ = writeln!(text, "{}", paint(color, YELLOW, shorten(&line, columns)));
        }
        let more = model.running_count() - shown.len();
        if more > 0 {
            let _ = writeln!(text, "  ... and {more} more");
        }
        let line = format!(
            "  {} of {}, {}",
            model.ended_count(),
            count(started.steps.into(), "step"),
            seconds(model.started_at, now),
        );
        let _ = writeln!(text, "{}", paint(color, BOLD, shorten(&line, columns)));
        text
    }
}

/// A duration that changes once a second.
fn seconds(from: u64, now: u64) -> String {
    match now.saturating_sub(from) / 1_000_000 {
        seconds @ 0..60 => format!("{seconds}s"),
        _ => duration(from, now),
    }
}
