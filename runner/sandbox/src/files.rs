//! What a plugin sees of files beyond their content, without what would differ on another machine
//! or another day: folders list in the order of their names, times and link counts are constants,
//! and files are told apart by numbers of this attempt.

use std::collections::{HashMap, VecDeque};

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode, Host, HostDescriptor,
    HostDirectoryEntryStream, MetadataHashValue, PathFlags,
};

use crate::state::State;

/// As wasmtime-wasi names it. A test of what a guest sees fails if it no longer does.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// 1980-01-01, the first day that a zip archive can name: tools for builds give it to files without a time.
const TIME: Datetime = Datetime { seconds: 315_532_800, nanoseconds: 0 };

/// What an attempt has seen of files.
#[derive(Default)]
pub(crate) struct Files {
    /// What is left of folders that are being listed, by the handle of the stream.
    listings: HashMap<u32, VecDeque<FsResult<DirectoryEntry>>>,
    /// A number for each file, in the order in which they were first seen.
    numbers: HashMap<(u64, u64), u64>,
}

/// Puts a method of [`State`] in the place of one function; the rest of the interface stays.
macro_rules! shadow {
    ($types:ident $name:literal = $method:ident($($arg:ident: $type:ty),*)) => {
        $types.func_wrap_async($name, |mut store: StoreContextMut<'_, State>, ($($arg,)*): ($($type,)*)| {
            Box::new(async move {
                let state = store.data_mut();
                match state.$method($($arg),*).await {
                    Ok(answer) => Ok((Ok(answer),)),
                    Err(error) => Ok((Err::<_, ErrorCode>(state.filesystem().convert_error_code(error)?),)),
                }
            })
        })?;
    };
}

/// Puts these in the place of WASI's own.
pub(crate) fn replace(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type Of = Resource<Descriptor>;
    type Entries = Resource<DirectoryEntryStream>;
    let mut types = linker.instance(TYPES)?;
    shadow!(types "[method]descriptor.read-directory" = list(folder: Of));
    shadow!(types "[method]directory-entry-stream.read-directory-entry" = next_entry(entries: Entries));
    shadow!(types "[method]descriptor.stat" = stat(file: Of));
    shadow!(types "[method]descriptor.stat-at" = stat_at(folder: Of, flags: PathFlags, path: String));
    shadow!(types "[method]descriptor.metadata-hash" = number(file: Of));
    shadow!(types "[method]descriptor.metadata-hash-at" = number_at(folder: Of, flags: PathFlags, path: String));
    Ok(())
}

impl State {
    /// Reads the whole folder at once, as WASI's own does.
    async fn list(&mut self, folder: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        let mut wasi = self.filesystem();
        let stream = wasi.read_directory(folder).await?;
        let mut entries = Vec::new();
        let mut unnamed = Vec::new();
        while let Some(entry) = wasi.read_directory_entry(Resource::new_borrow(stream.rep())).await.transpose() {
            match entry {
                Ok(entry) => entries.push(entry),
                // A name that is no text, which WASI cannot give. Such entries come last.
                Err(error) => unnamed.push(error),
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let listing = entries.into_iter().map(Ok).chain(unnamed.into_iter().map(Err)).collect();
        // If a stream of this handle was dropped half-way, this is its end.
        self.files.listings.insert(stream.rep(), listing);
        Ok(stream)
    }

    async fn next_entry(&mut self, entries: Resource<DirectoryEntryStream>) -> FsResult<Option<DirectoryEntry>> {
        let listing = self.files.listings.get_mut(&entries.rep());
        listing.and_then(VecDeque::pop_front).transpose()
    }

    async fn stat(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.filesystem().stat(file).await.map(plain)
    }

    async fn stat_at(
        &mut self,
        folder: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.filesystem().stat_at(folder, flags, path).await.map(plain)
    }

    async fn number(&mut self, file: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        let hash = self.filesystem().metadata_hash(file).await?;
        Ok(self.files.number(&hash))
    }

    async fn number_at(
        &mut self,
        folder: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let hash = self.filesystem().metadata_hash_at(folder, flags, path).await?;
        Ok(self.files.number(&hash))
    }
}

impl Files {
    /// WASI's own hash is made of the device and the inode. Languages show it as the inode.
    fn number(&mut self, hash: &MetadataHashValue) -> MetadataHashValue {
        let next = self.numbers.len() as u64 + 1;
        let lower = *self.numbers.entry((hash.lower, hash.upper)).or_insert(next);
        MetadataHashValue { lower, upper: 0 }
    }
}

/// Type and size; the size of a folder depends on the file system.
fn plain(stat: DescriptorStat) -> DescriptorStat {
    DescriptorStat {
        link_count: 1,
        size: if stat.type_ == DescriptorType::Directory { 0 } else { stat.size },
        data_access_timestamp: Some(TIME),
        data_modification_timestamp: Some(TIME),
        status_change_timestamp: Some(TIME),
        ..stat
    }
}
