//! How requests reach the service, and which of them are tests.

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::with::Duration;
use windlass_plugin_parts::Statuses;

/// A name or an address, without a port and without a `*`.
const HOST: &str = r"^([^\s:/?#@*\[\]]+|\[[0-9A-Fa-f:.]+\])$";
/// Without a query: only paths are matched.
const PATH: &str = r"^/[^\s?#]*$";
/// An address of a listener: with a port.
const ADDRESS: &str = r"^([0-9.]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$";

/// Which requests are the service's.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Route {
    /// The host without its port; any if left out.
    #[schemars(regex(pattern = HOST))]
    pub(crate) host: Option<String>,
    /// Whole segments of the path, as `/api`; all paths if left out. The longest path wins.
    #[serde(default = "root")]
    #[schemars(regex(pattern = PATH))]
    pub(crate) path: String,
    /// The router's listeners, by address, as `127.0.0.1:8080`; all if left out.
    #[serde(default)]
    #[schemars(inner(regex(pattern = ADDRESS)))]
    pub(crate) listeners: Vec<String>,
}

fn root() -> String {
    "/".to_owned()
}

impl Default for Route {
    fn default() -> Self {
        Self { host: None, path: root(), listeners: Vec::new() }
    }
}

/// Keeps a client with the revision that it saw first.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sticky {
    /// The name of the cookie that says so.
    #[schemars(regex(pattern = "^[A-Za-z0-9._-]{1,128}$"))]
    pub(crate) cookie: String,
    /// How long the client keeps it; for its session if left out.
    pub(crate) max_age: Option<Duration>,
}

/// The router's own check of each container.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RouterCheck {
    /// A path to GET, with 200 to 399 for well; a connection is enough if left out.
    #[schemars(regex(pattern = "^/"))]
    pub(crate) path: Option<String>,
    /// How often; `"2s"` if left out.
    pub(crate) interval: Option<Duration>,
    /// How long an answer may take; `"2s"` if left out.
    pub(crate) timeout: Option<Duration>,
    /// So many good answers in a row make a container ready; 1 if left out.
    #[schemars(range(min = 1))]
    pub(crate) up_after: Option<u32>,
    /// So many bad ones in a row make it unready; 3 if left out.
    #[schemars(range(min = 1))]
    pub(crate) down_after: Option<u32>,
}

/// Requests whose answers have to be right.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Smoke {
    /// Made to each new container before it gets traffic.
    pub(crate) before: Vec<SmokeTest>,
    /// Made to each new container after it has got all of the traffic, before the deploy is committed.
    pub(crate) after: Vec<SmokeTest>,
}

/// A request and what its answer has to be.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SmokeTest {
    /// The path to GET, as `/health`.
    #[schemars(regex(pattern = "^/"))]
    pub(crate) path: String,
    /// The status it has to have, as `200` or `"200-399"`; any from 200 to 299 if left out.
    pub(crate) status: Option<Statuses>,
    /// Text that the body has to contain.
    pub(crate) contains: Option<String>,
    /// How long the answer may take; `"5s"` if left out.
    pub(crate) timeout: Option<Duration>,
}

/// An address at which only the new revision answers, until the deploy is over.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("anyOf" = [{ "required": ["host"] }, { "required": ["path"] }]))]
pub(crate) struct Preview {
    /// The host, as `preview.shop.example`.
    #[schemars(regex(pattern = HOST))]
    pub(crate) host: Option<String>,
    /// The path, as `/preview`: it reaches the service as it is. All paths of the host if left out.
    #[schemars(regex(pattern = PATH))]
    pub(crate) path: Option<String>,
    /// How long there is only the preview, before the new revision gets traffic: a time, or `"until-approved"`.
    pub(crate) pause: Option<super::Pause>,
}
