//! Containers and images: what plugins can ask for, and the primitives it is journaled as.

macro_rules! record {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    )*};
}

macro_rules! choice {
    ($($(#[$meta:meta])* $name:ident { $($(#[$case_meta:meta])* $case:ident $(($type:ty))?,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$case_meta])* $case $(($type))?,)* }
    )*};
}

mod containers;
mod host;
mod images;
mod spec;

pub use containers::*;
pub use host::*;
pub use images::*;
pub use spec::*;

use super::{Nothing, operation};

operation! {
    Build => DockerBuild -> Built;
    Tag => DockerTag -> Nothing;
    Push => DockerPush -> Transferred;
    Pull => DockerPull -> Transferred;
    InspectImage => DockerInspectImage -> Image;
    ListImages => DockerListImages -> Vec<Image>;
    Run => DockerRun -> Exit;
    Start => DockerStart -> Container;
    Create => DockerCreate -> Created;
    StartCreated => DockerStartCreated -> Nothing;
    Wait => DockerWait -> Exit;
    RemoveCreated => DockerRemoveCreated -> Nothing;
    Exec => DockerExec -> Exit;
    ExecCreate => DockerExecCreate -> Created;
    ExecStart => DockerExecStart -> Exit;
    Inspect => DockerInspect -> Container;
    List => DockerList -> Vec<Container>;
    Logs => DockerLogs -> Output;
    Stats => DockerStats -> Usage;
    WaitHealthy => DockerWaitHealthy -> Container;
    Stop => DockerStop -> Nothing;
    Remove => DockerRemove -> Nothing;
    CreateNetwork => DockerCreateNetwork -> Nothing;
    RemoveNetwork => DockerRemoveNetwork -> Nothing;
    CreateVolume => DockerCreateVolume -> Nothing;
    RemoveVolume => DockerRemoveVolume -> Nothing;
    Locate => DockerLocate -> Located;
    ProbeCommand => DockerProbeCommand -> ContainerSeen;
    ProbeHealth => DockerProbeHealth -> ContainerSeen;
    Leftovers => DockerLeftovers -> Vec<Leftover>;
    Sweep => DockerSweep -> Nothing;
}
