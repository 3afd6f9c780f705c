//! What nearly every plugin uses: `use windlass_plugin::prelude::*;`.

pub use crate::with::{Duration, Size, Strings};
pub use crate::{Capability, Context, Failure, NamedValue, OrFail, Pair, Planned, Plugin, Result, Use, Value};
pub use crate::{bail, debug, ensure, error, info, outputs, plugin, warn, with};
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize, Serialize};
