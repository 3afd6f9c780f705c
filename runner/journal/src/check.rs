//! Whether a journal is whole, and what lies about in its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use rusqlite::params;

use crate::decode;
use crate::error::JournalError;
use crate::format::SEQ_BITS;
use crate::id::is_run_id;
use crate::prune::{is_abandoned, orphans};
use crate::reader::Reader;
use crate::record::Record;
use crate::row::{self, Kind};
use crate::run::{RunState, RunSummary};

/// How many problems of the store are told.
const TOLD: usize = 10;

/// What a look at everything has found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Check {
    /// How many runs there are.
    pub runs: usize,
    /// How many records they have that can be read.
    pub records: u64,
    /// The runs that broke off.
    pub interrupted: Vec<RunSummary>,
    /// What is damaged, in words; the first few.
    pub damage: Vec<String>,
    /// Runs whose log files are shorter than their records say, and by how many bytes.
    pub short_logs: BTreeMap<String, u64>,
    /// Log files of runs that are not in the journal.
    pub orphans: Vec<PathBuf>,
    /// How many bytes the journal's own files take.
    pub size: u64,
}

impl Reader {
    /// Looks at everything: the structure of the store, the checksum of each row, the length of each
    /// log. Nothing is changed.
    ///
    /// # Errors
    ///
    /// What keeps from looking at all. What is found is in the answer.
    pub fn check(&self) -> Result<Check, JournalError> {
        let mut check = Check { damage: self.structure()?, ..Check::default() };
        let runs = match self.runs(usize::MAX) {
            Ok(runs) => runs,
            Err(JournalError::Damaged { why, .. }) => {
                check.note(why);
                return Ok(check);
            }
            Err(error) => return Err(error),
        };
        check.size = self.store_size();
        for run in &runs {
            let log = fs::metadata(self.log_path(&run.id)).map_or(0, |file| file.len());
            check.size += log;
            if let Err(JournalError::Damaged { why, .. }) = self.requests(run) {
                check.note(why);
            }
            match self.check_run(run, &mut check.records) {
                Ok(_) if run.state == RunState::Running => {}
                Ok(end) if end > log => drop(check.short_logs.insert(run.id.clone(), end - log)),
                Ok(_) => {}
                Err(JournalError::Damaged { why, .. }) => check.note(why),
                Err(error) => return Err(error),
            }
        }
        check.orphans = orphans(self.dir(), self)?;
        check.runs = runs.len();
        check.interrupted = runs.into_iter().filter(|run| run.state == RunState::Interrupted).collect();
        Ok(check)
    }

    /// Reads all of a run; where its log has to end.
    fn check_run(&self, run: &RunSummary, records: &mut u64) -> Result<u64, JournalError> {
        self.source(run)?;
        let mut end = 0;
        for entry in self.entries(run, 0)? {
            if let Record::Log { offset, len, .. } = entry?.record {
                end = end.max(offset.saturating_add(len));
            }
            *records += 1;
        }
        Ok(end)
    }

    /// What SQLite finds wrong with the store.
    fn structure(&self) -> Result<Vec<String>, JournalError> {
        if !self.is_ready()? {
            return Ok(Vec::new());
        }
        let said = || {
            let mut statement = self.conn.prepare(&format!("PRAGMA integrity_check({TOLD})"))?;
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        };
        match said().map_err(|e| self.store(e)) {
            Ok(said) if said == ["ok"] => Ok(Vec::new()),
            Ok(said) => Ok(said),
            Err(JournalError::Damaged { why, .. }) => Ok(vec![why]),
            Err(error) => Err(error),
        }
    }

    /// Whether there is a run with exactly this id.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn has(&self, run: &str) -> Result<bool, JournalError> {
        if !self.is_ready()? {
            return Ok(false);
        }
        let mut statement =
            self.conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM run WHERE +id = ?1)").map_err(|e| self.store(e))?;
        statement.query_row([run], |row| row.get(0)).map_err(|e| self.store(e))
    }

    /// The digests of all folders that steps were given to read, in every run.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn inputs_in_use(&self) -> Result<BTreeSet<String>, JournalError> {
        let mut digests = BTreeSet::new();
        if !self.is_ready()? {
            return Ok(digests);
        }
        let err = |e| self.store(e);
        let sql = row::SELECT.replace("ORDER BY", "AND kind = ?3 ORDER BY");
        let mut statement = self.conn.prepare(&sql).map_err(err)?;
        let mut rows = statement.query(params![0, i64::MAX, Kind::StepInputs as i64]).map_err(err)?;
        while let Some(row) = rows.next().map_err(err)? {
            let place: i64 = row.get(0).map_err(err)?;
            let entry = decode::entry(row, place >> SEQ_BITS).map_err(|why| self.damaged(why))?;
            if let Record::StepInputs { folders, .. } = entry.record {
                digests.extend(folders.into_iter().map(|folder| folder.digest));
            }
        }
        Ok(digests)
    }

    /// What in this folder of the journal's folder is named after runs that are not in the journal,
    /// and is nobody's.
    ///
    /// # Errors
    ///
    /// What the system and the store say.
    pub fn abandoned(&self, folder: &str) -> Result<Vec<PathBuf>, JournalError> {
        let folder = self.dir().join(folder);
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(JournalError::io(&folder, "read", e)),
        };
        let mut abandoned = Vec::new();
        for entry in listed {
            let entry = entry.map_err(|e| JournalError::io(&folder, "read", e))?;
            let name = entry.file_name();
            // A file may have more to its name than the run: `RUN-storefront.md`.
            let run = name.to_str().map(|name| name.split_once('-').map_or(name, |(run, _)| run));
            if let Some(run) = run.filter(|run| is_run_id(run))
                && !self.has(run)?
                && is_abandoned(self.dir(), run, &entry.path())
            {
                abandoned.push(entry.path());
            }
        }
        abandoned.sort();
        Ok(abandoned)
    }

    /// How many records these runs have, and about how many of the store's bytes that is.
    pub(crate) fn share(&self, runs: &[RunSummary], size: u64) -> Result<(u64, u64), JournalError> {
        let count = |from: i64, to: i64| -> Result<u64, JournalError> {
            let sql = "SELECT count(*) FROM entry WHERE place BETWEEN ?1 AND ?2";
            let mut statement = self.conn.prepare_cached(sql).map_err(|e| self.store(e))?;
            let count = statement.query_row(params![from, to], |row| row.get::<_, i64>(0));
            count.map(i64::cast_unsigned).map_err(|e| self.store(e))
        };
        if runs.is_empty() {
            return Ok((0, 0));
        }
        let mut records = 0;
        for run in runs {
            records += count(run.key << SEQ_BITS, ((run.key + 1) << SEQ_BITS) - 1)?;
        }
        let all = count(0, i64::MAX)?.max(1);
        let share = u128::from(size) * u128::from(records) / u128::from(all);
        Ok((records, u64::try_from(share).unwrap_or(size)))
    }
}

impl Check {
    /// Whether nothing is damaged.
    pub fn is_whole(&self) -> bool {
        self.damage.is_empty()
    }

    fn note(&mut self, why: String) {
        if self.damage.len() < TOLD {
            self.damage.push(why);
        }
    }
}
