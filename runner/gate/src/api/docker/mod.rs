//! Containers and images: what plugins can ask for, and the primitives it is journaled as.

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
    StartAgain => DockerStartAgain -> Container;
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
