//! Images: build, tag, push, pull, inspect.

use serde::{Deserialize, Serialize};

use super::super::{NamedValue, Pair, Value, choice, record};

record! {
    /// Builds an image.
    Build {
        /// What to build.
        spec: BuildSpec,
    }
    /// A build of an image.
    BuildSpec {
        /// The folder to build in, relative to the workspace.
        context: String,
        /// The Dockerfile, relative to the context.
        dockerfile: Option<String>,
        /// The names to give the image.
        tags: Vec<String>,
        /// Build arguments.
        args: Vec<Pair>,
        /// The stage of the Dockerfile to build.
        target: Option<String>,
        /// Labels to put on the image.
        labels: Vec<Pair>,
        /// The platform.
        platform: Option<String>,
        /// Whether to build every layer anew.
        no_cache: bool,
        /// Whether to pull a newer base image.
        pull: bool,
        /// Secrets for `RUN --mount=type=secret`.
        secrets: Vec<NamedValue>,
    }
    /// A built image.
    Built {
        /// The image's id.
        id: String,
        /// The names that it was given.
        tags: Vec<String>,
        /// Which builder made it.
        builder: Builder,
    }
    /// Gives an image another name.
    Tag {
        /// The image.
        image: String,
        /// The new name.
        reference: String,
    }
    /// Pushes an image.
    Push {
        /// What to push, `repository:tag`.
        reference: String,
        /// How to log in.
        credentials: Option<Credentials>,
    }
    /// Pulls an image.
    Pull {
        /// What to pull.
        reference: String,
        /// How to log in.
        credentials: Option<Credentials>,
        /// The platform.
        platform: Option<String>,
    }
    /// How to log in at a registry.
    Credentials {
        /// The user.
        username: String,
        /// The password or token.
        password: Value,
    }
    /// A pushed or pulled image.
    Transferred {
        /// The name that was pushed or pulled.
        reference: String,
        /// The manifest's digest in the registry.
        digest: String,
        /// `repository@digest`.
        pinned: String,
    }
    /// Asks what is known of an image.
    InspectImage {
        /// The image.
        reference: String,
    }
    /// Asks for the images of a repository.
    ListImages {
        /// The repository.
        repository: String,
    }
    /// What is known of an image.
    Image {
        /// The image's id.
        id: String,
        /// Its names.
        tags: Vec<String>,
        /// Its digests in registries.
        digests: Vec<String>,
        /// Its size in bytes.
        size: u64,
        /// When it was made, by RFC 3339.
        created: String,
        /// Its platform.
        platform: String,
        /// Its labels.
        labels: Vec<Pair>,
        /// The ports that it exposes, as `8080/tcp`.
        exposed_ports: Vec<String>,
    }
}

choice! {
    /// The builders of a daemon.
    Builder {
        /// The classic builder.
        Classic,
        /// BuildKit.
        Buildkit,
    }
}
