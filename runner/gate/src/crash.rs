//! Points at which the crash harness (`cargo xtask crash`) kills the runner.
//!
//! A point is a call and a phase of it. Only the feature `crash-points` makes points of them: without
//! it a label is empty, and what stands here is what the journal's writer does anyway.

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "crash-points"), allow(dead_code, reason = "told apart only by the harness"))]
pub(crate) enum Phase {
    /// Its `Start` is appended, and not committed.
    StartQueued,
    /// Its `Start` is committed, and its effect has not begun.
    StartDurable,
    /// Its effect is done, and nothing says so.
    EffectDone,
    /// Its `End`, or its one record, is appended, and not committed.
    EndQueued,
    /// Its `End`, or its one record, is committed.
    EndDurable,
}

#[cfg(not(feature = "crash-points"))]
pub(crate) use off::{Label, append, point};
#[cfg(feature = "crash-points")]
pub(crate) use on::{Label, append, point};

#[cfg(not(feature = "crash-points"))]
mod off {
    use windlass_journal::{CallId, Record, Writer};

    use super::Phase;
    use crate::{Authority, Function};

    /// Which call it is.
    #[derive(Clone)]
    pub(crate) struct Label;

    impl Label {
        #[inline]
        pub(crate) fn new(_: &Authority, _: CallId, _: Function, _: &str) -> Self {
            Self
        }
    }

    /// The call has come this far.
    #[inline]
    pub(crate) fn point(_: &Label, _: Phase) {}

    /// Appends what nobody waits for: `StartQueued` a `Start`, `EndQueued` an `End` or a call's one record.
    #[inline]
    pub(crate) fn append(writer: &Writer, _: &Label, _: Phase, record: Record) {
        writer.append(record);
    }
}

#[cfg(feature = "crash-points")]
mod on {
    #![allow(
        clippy::disallowed_methods,
        reason = "a test build: it is told by its environment where to die, and writes a list of points"
    )]

    use std::fmt::Write as _;
    use std::fs::{File, OpenOptions};
    use std::io::Write as _;
    use std::sync::OnceLock;

    use windlass_journal::{CallId, Record, StepIndex, Writer};

    use super::Phase;
    use crate::{Authority, Function, Kind};

    /// Where to die: `STAGE/STEP/ATTEMPT/ORDINAL/PHASE`, or `host/ATTEMPT/ORDINAL/PHASE`.
    const AT: &str = "WINDLASS_CRASH_AT";
    /// Where to list the points that are reached.
    const LOG: &str = "WINDLASS_CRASH_LOG";

    /// What the environment asks for.
    struct Orders {
        at: Option<String>,
        log: Option<File>,
    }

    fn orders() -> &'static Orders {
        static ORDERS: OnceLock<Orders> = OnceLock::new();
        ORDERS.get_or_init(|| {
            let log =
                std::env::var_os(LOG).and_then(|path| OpenOptions::new().append(true).create(true).open(path).ok());
            if let Some(log) = &log {
                list_rows(log);
            }
            Orders { at: std::env::var(AT).ok(), log }
        })
    }

    /// A new list begins with the table, so that the harness knows what has to be in the list.
    fn list_rows(mut log: &File) {
        if log.metadata().is_ok_and(|about| about.len() > 0) {
            return;
        }
        let mut rows = String::new();
        for row in Function::all().map(Function::row) {
            let _ = writeln!(rows, "row {} {:?}", row.name, row.kind);
        }
        let _ = log.write_all(rows.as_bytes());
    }

    /// Which call it is.
    #[derive(Clone)]
    pub(crate) struct Label {
        place: String,
        function: Function,
        kind: Kind,
    }

    impl Label {
        pub(crate) fn new(authority: &Authority, id: CallId, function: Function, args: &str) -> Self {
            let kind = function.kind(args);
            let CallId { step, attempt, ordinal } = id;
            let place = match authority {
                Authority::Step(authority) if step != StepIndex::HOST => {
                    format!("{}/{}/{attempt}/{ordinal}", authority.stage, authority.step)
                }
                _ => format!("host/{attempt}/{ordinal}"),
            };
            Self { place, function, kind }
        }

        fn at(&self, phase: Phase) -> String {
            let phase = match phase {
                Phase::StartQueued => "start-queued",
                Phase::StartDurable => "start-durable",
                Phase::EffectDone => "effect-done",
                Phase::EndQueued => "end-queued",
                Phase::EndDurable => "end-durable",
            };
            format!("{}/{phase}", self.place)
        }
    }

    /// The call has come this far: the place to die, perhaps.
    pub(crate) fn point(label: &Label, phase: Phase) {
        let (orders, here) = (orders(), label.at(phase));
        if let Some(mut log) = orders.log.as_ref() {
            // One write, so that lines of parallel steps do not mix.
            let line = format!("point {here} {} {:?}\n", label.function.name(), label.kind);
            let _ = log.write_all(line.as_bytes());
        }
        if orders.at.as_ref() == Some(&here) {
            die();
        }
    }

    fn die() -> ! {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
        loop {
            std::thread::park();
        }
    }

    /// Appends what nobody waits for: `StartQueued` a `Start`, `EndQueued` an `End` or a call's one record.
    pub(crate) fn append(writer: &Writer, label: &Label, phase: Phase, record: Record) {
        let is_next = |phase| orders().at == Some(label.at(phase));
        if is_next(phase) {
            // All that came before is durable, so that exactly this record is lost, in every run.
            commit(writer);
        }
        writer.append_then(record, || point(label, phase));
        if phase == Phase::EndQueued {
            if is_next(Phase::EndDurable) {
                commit(writer);
            }
            point(label, Phase::EndDurable);
        }
    }

    /// Waits for the disk where nothing may be awaited: on a thread of its own.
    fn commit(writer: &Writer) {
        let writer = writer.clone();
        let waits = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.map(|runtime| runtime.block_on(writer.flush()))
        });
        let _ = waits.join();
    }
}
