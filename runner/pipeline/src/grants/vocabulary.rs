//! Everything that `grants` can say, in one table.
//!
//! The reader of `pipeline.toml`, the check of a demand, the hints of a denial and the documentation all go by it: a new
//! capability is a few new rows and nothing else.

/// What kind of thing a rule names, which decides how its pattern is read and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A folder, with everything beneath it.
    Folder,
    /// A repository of images, or one tag of it.
    Repository,
    /// A port that is opened on the host.
    Port,
    /// A name, with `*` for any characters.
    Name,
    /// The name of an artifact, which may have folders: `*` within one, `**` across them.
    Artifact,
    /// A name of `[secrets]`, exactly.
    Secret,
    /// An environment variable, with `*` for any characters.
    Variable,
    /// HTTP methods and a URL pattern.
    Request,
    /// A container's name, or a URL (`http`, `https` or `tcp`).
    Target,
    /// A program by its name, or by its absolute path.
    Program,
    /// Nothing: it is granted, or not.
    Switch,
}

/// One thing that a grant can allow.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// The capability, the first key beneath `grants`.
    pub capability: &'static str,
    /// The verb, as in a demand. For `http` it stands for every method.
    pub verb: &'static str,
    /// The keys beneath `grants.<capability>` that hold the list; none when the capability is the list itself.
    pub keys: &'static [&'static str],
    /// A list in the place of the table above (`run = [...]` for `run = { images = [...] }`) means this, too.
    pub short: bool,
    /// What the list's strings name.
    pub kind: Kind,
    /// Other verbs of the capability whose rules allow this one, too, because they give more.
    pub implied_by: &'static [&'static str],
    /// What a rule allows, for documentation.
    pub documentation: &'static str,
    /// A string of the list, for documentation and for suggestions.
    pub example: &'static str,
}

/// The methods that an `http` grant can name.
pub const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Capabilities that every step has, so that no grant names them.
pub const AMBIENT: &[&str] = &["log", "metrics", "timer"];

const fn row(
    capability: &'static str,
    verb: &'static str,
    keys: &'static [&'static str],
    kind: Kind,
    example: &'static str,
    documentation: &'static str,
) -> Verb {
    Verb { capability, verb, keys, short: false, kind, implied_by: &[], documentation, example }
}

impl Verb {
    const fn short(mut self) -> Self {
        self.short = true;
        self
    }

    const fn implied_by(mut self, verbs: &'static [&'static str]) -> Self {
        self.implied_by = verbs;
        self
    }

    /// Where in `pipeline.toml` the list stands, as `grants.docker.run.images`.
    pub fn path(&self) -> String {
        let mut path = format!("grants.{}", self.capability);
        for key in self.keys {
            path.push('.');
            path.push_str(key);
        }
        path
    }
}

/// The vocabulary, by capability.
#[rustfmt::skip]
pub const VOCABULARY: &[Verb] = &[
    row("approval", "wait", &[], Kind::Switch, "true", "Wait for a person to decide."),

    row("artifacts", "read", &["read"], Kind::Artifact, "report", "Read artifacts of this run.").short(),
    row("artifacts", "write", &["write"], Kind::Artifact, "report", "Publish artifacts of this run.").short(),

    row("docker", "build", &["build"], Kind::Folder, ".", "Build images with a context in this folder."),
    row("docker", "tag", &["tag"], Kind::Repository, "localhost:5000/storefront", "Give images a name in this repository; a grant to push does, too.").implied_by(&["push"]),
    row("docker", "push", &["push"], Kind::Repository, "localhost:5000/storefront", "Push images to this repository."),
    row("docker", "pull", &["pull"], Kind::Repository, "docker.io/library/postgres", "Pull images from this repository."),
    row("docker", "run", &["run", "images"], Kind::Repository, "localhost:5000/storefront", "Run containers from images of this repository.").short(),
    row("docker", "mount", &["run", "mounts"], Kind::Folder, "config", "Mount this folder into containers, read-only.").implied_by(&["mount-write"]),
    row("docker", "mount-write", &["run", "mounts-write"], Kind::Folder, "dist", "Mount this folder into containers, writable."),
    row("docker", "port", &["run", "ports"], Kind::Port, "127.0.0.1:8080", "Open this port, or range of ports, on the host; without an address on 127.0.0.1 only."),
    row("docker", "container", &["containers"], Kind::Name, "database", "Use containers of this logical name that other steps started: exec, logs, stats, inspect, health, stop, remove."),
    row("docker", "network", &["networks"], Kind::Name, "backend", "Create, use and remove networks of this logical name."),
    row("docker", "volume", &["volumes"], Kind::Name, "data", "Create, use and remove volumes of this logical name."),

    row("env", "read", &[], Kind::Variable, "PATH", "See this environment variable of the host."),

    row("files", "read", &["read"], Kind::Folder, "src", "Read this folder."),
    row("files", "write", &["write"], Kind::Folder, "dist", "Publish files to this folder when the step succeeds. The step finds it empty, so it cannot be in `read` as well."),

    row("health", "check", &[], Kind::Target, "storefront", "Probe this container, or this URL."),

    row("http", "request", &[], Kind::Request, "GET https://api.example/**", "Send requests with these methods to this URL; `*` is any part of one segment, `**` any number of segments."),

    row("process", "run", &[], Kind::Program, "cargo", "Run this program on the host."),

    row("query", "ask", &[], Kind::Target, "http://127.0.0.1:9090/", "Ask this Prometheus, by the path beneath which its API is."),

    row("secrets", "use", &[], Kind::Secret, "registry-password", "Use this secret by its name; the plugin never sees its value."),

    row("traffic", "route", &["services"], Kind::Name, "storefront", "Deploy this service: reserve it, move its traffic, read what was measured of it.").short(),
    row("traffic", "downtime", &["downtime"], Kind::Name, "storefront", "Let nothing serve this service for a time, as the strategy `recreate` does."),
];

/// The names of all capabilities that can be granted, sorted.
pub fn capabilities() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    VOCABULARY.iter().filter_map(move |row| {
        let new = row.capability != last;
        last = row.capability;
        new.then_some(row.capability)
    })
}

/// The rows of one capability.
pub fn verbs(capability: &str) -> impl Iterator<Item = &'static Verb> {
    VOCABULARY.iter().filter(move |row| row.capability == capability)
}

/// The row of a demand. For `http` every known method has the one row.
pub fn verb(capability: &str, verb: &str) -> Option<&'static Verb> {
    verbs(capability).find(|row| row.verb == verb || (row.kind == Kind::Request && METHODS.contains(&verb)))
}

/// The example, as a value of TOML.
fn value(row: &Verb) -> String {
    if row.kind == Kind::Switch { row.example.to_owned() } else { crate::suggest::toml_string(row.example) }
}

/// The vocabulary as a table in Markdown, for documentation.
pub fn markdown() -> String {
    let mut out = String::from("| grant | verb | example | what it allows |\n| --- | --- | --- | --- |\n");
    for row in VOCABULARY {
        let verb = if row.kind == Kind::Request { METHODS.join(", ") } else { row.verb.to_owned() };
        let (grant, _) = super::hint::entry(row, &value(row));
        let example = if row.kind == Kind::Switch {
            format!("{} = {grant}", row.capability)
        } else if row.keys.is_empty() {
            format!("{} = [{grant}]", row.capability)
        } else {
            grant
        };
        out.push_str(&format!("| `{}` | {verb} | `{example}` | {} |\n", row.path(), row.documentation));
    }
    out
}
