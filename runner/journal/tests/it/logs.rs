//! Log bytes come back exactly, and stop exactly at their bound.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use windlass_journal::*;

use crate::tools::*;

/// Stretches of one stream each, in the order of a step.
type Stretches = Vec<(Stream, Vec<u8>)>;

/// Appends to the last stretch if it is of the same stream.
fn extend(stretches: &mut Stretches, stream: Stream, bytes: &[u8]) {
    match stretches.last_mut() {
        Some((last, all)) if *last == stream => all.extend_from_slice(bytes),
        _ if bytes.is_empty() => {}
        _ => stretches.push((stream, bytes.to_vec())),
    }
}

/// What each step attempt printed.
type Printed = BTreeMap<(StepIndex, u32), Stretches>;

/// What each step attempt printed, read through the journal, and where it was cut.
fn printed(dir: &std::path::Path, run: &str) -> (Printed, Vec<(StepIndex, u32, u64)>) {
    let reader = Journal::open(dir).unwrap();
    let summary = reader.resolve(Some(run)).unwrap();
    let (mut printed, mut cuts) = (Printed::new(), Vec::new());
    for entry in reader.entries(&summary, 0).unwrap() {
        match entry.unwrap().record {
            Record::Log { step, attempt, stream, offset, len } => {
                let got = reader.log_bytes(&summary, offset, len).unwrap();
                assert_eq!((got.bytes.len() as u64, got.missing), (len, 0));
                extend(printed.entry((step, attempt)).or_default(), stream, &got.bytes);
            }
            Record::LogCut { step, attempt, limit } => cuts.push((step, attempt, limit)),
            _ => {}
        }
    }
    (printed, cuts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_come_back_exactly_up_to_the_bound(
        chunks in vec((0..3_u32, 1..3_u32, any::<bool>(), vec(any::<u8>(), 0..600), proptest::bool::weighted(0.05)), 0..60),
        limit in prop_oneof![0..2000_u64, Just(u64::MAX)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let run = new_run_id();
        let seen = Seen::default();
        let writer = start_with(folder.path(), &run, seen.options());
        let (mut expected, mut totals) = (Printed::new(), BTreeMap::<_, u64>::new());
        for (step, attempt, err, bytes, flush) in &chunks {
            let (step, stream) = (StepIndex(*step), if *err { Stream::Stderr } else { Stream::Stdout });
            writer.log(step, *attempt, stream, bytes, limit);
            let total = totals.entry((step, *attempt)).or_default();
            let room = usize::try_from(limit.saturating_sub(*total)).unwrap_or(usize::MAX).min(bytes.len());
            if room > 0 {
                extend(expected.entry((step, *attempt)).or_default(), stream, &bytes[..room]);
            }
            *total += bytes.len() as u64;
            if *flush {
                wait(writer.flush()).unwrap();
            }
        }
        for ((step, attempt), total) in &totals {
            prop_assert_eq!(writer.dropped(*step, *attempt), total.saturating_sub(limit));
        }
        wait(writer.close(well())).unwrap();

        let (printed, mut cuts) = printed(folder.path(), &run);
        prop_assert_eq!(printed, expected);
        cuts.sort();
        let over: Vec<_> = totals.iter().filter(|(_, total)| **total > limit).map(|((s, a), _)| (*s, *a, limit)).collect();
        prop_assert_eq!(cuts, over);

        let file = std::fs::read(folder.path().join(format!("runs/{run}.log"))).unwrap();
        for (entry, bytes) in seen.all() {
            if let Record::Log { offset, len, .. } = entry.record {
                let (from, to) = (offset as usize, (offset + len) as usize);
                prop_assert_eq!(bytes.as_deref(), Some(&file[from..to]));
            }
        }
    }
}

#[test]
fn small_chunks_become_one_record_and_order_within_a_step_holds() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let options = WriterOptions { flush_after: std::time::Duration::from_secs(10), ..Default::default() };
    let writer = start_with(folder.path(), &run, options);
    let (a, b) = (StepIndex(0), StepIndex(1));
    for _ in 0..10 {
        writer.log(a, 1, Stream::Stdout, b"a", 1000);
        writer.log(b, 1, Stream::Stdout, b"b", 1000);
    }
    writer.append(Record::CallEnded { call: call(0, 0), answer: "{}".to_owned() });
    writer.log(a, 1, Stream::Stdout, b"after", 1000);
    writer.log(b, 1, Stream::Stdout, b"more", 1000);
    wait(writer.close(well())).unwrap();
    let mut before = [0, 0];
    let mut after = [0, 0];
    let (mut called, mut records) = (false, 0);
    for entry in read(folder.path(), &run) {
        match entry.record {
            Record::CallEnded { .. } => called = true,
            Record::Log { step, len, .. } => {
                records += 1;
                (if called { &mut after } else { &mut before })[step.0 as usize] += len;
            }
            _ => {}
        }
    }
    assert_eq!((before[0], after[0], before[1] + after[1]), (10, 5, 14));
    // Step 1 made no call, so what it printed is one stretch: three in all, unless this test was stopped for longer than a record may collect.
    assert!(records < 8, "{records} records");
}

#[test]
fn a_burst_waits_for_the_disk_instead_of_filling_memory() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let seen = Seen::default();
    let writer = start_with(folder.path(), &run, WriterOptions { pending_limit: 256 << 10, ..seen.options() });
    let chunk = vec![7; 64 << 10];
    for _ in 0..512 {
        writer.log(StepIndex(0), 1, Stream::Stdout, &chunk, u64::MAX);
    }
    wait(writer.close(well())).unwrap();
    let sizes: Vec<usize> = seen
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|batch| batch.iter().filter_map(|(_, log)| log.as_ref().map(Vec::len)).sum())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 32 << 20);
    assert!(sizes.iter().all(|size| *size <= 320 << 10), "{sizes:?}");
}

#[test]
fn a_missing_tail_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    writer.log(StepIndex(0), 1, Stream::Stdout, b"0123456789", 1000);
    wait(writer.close(well())).unwrap();
    let path = folder.path().join(format!("runs/{run}.log"));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    let summary = reader.resolve(None).unwrap();
    let got = |offset, len| reader.log_bytes(&summary, offset, len).unwrap();
    assert_eq!(got(0, 10), LogBytes { bytes: b"0123".to_vec(), missing: 6 });
    assert_eq!(got(8, 2), LogBytes { bytes: Vec::new(), missing: 2 });
    std::fs::remove_file(&path).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    assert_eq!(reader.log_bytes(&summary, 0, 10).unwrap().missing, 10);
}
