//! What containers need before they can be made.

use windlass_plugin::docker::{self, Lifetime};
use windlass_plugin::{Failure, OrFail, info};

/// Makes the networks that a container joins. One that is there is taken as it is.
///
/// # Errors
/// A network cannot be made.
pub fn join_networks(networks: &[String], lifetime: Lifetime) -> Result<(), Failure> {
    networks.iter().try_for_each(|name| create_network(name, false, lifetime))
}

/// Makes a network, one without a way to the outside if it is `internal`. One that is there is taken as it is.
///
/// # Errors
/// It cannot be made.
pub fn create_network(name: &str, internal: bool, lifetime: Lifetime) -> Result<(), Failure> {
    docker::create_network(name, internal, lifetime).or_fail_with(|| format!("make the network `{name}`"))
}

/// Does something with an image; if the daemon does not have it and `pull` is set, pulls it and tries again.
///
/// # Errors
/// What `act` fails with, or why the image cannot be pulled.
pub fn run_or_pull<T>(image: &str, pull: bool, act: impl Fn() -> Result<T, docker::Error>) -> Result<T, docker::Error> {
    match act() {
        Err(docker::Error::NotFound(_)) if pull => {
            info!("pulling {image}, which the daemon does not have");
            docker::pull(image, None, None)?;
            act()
        }
        other => other,
    }
}

/// Why a container could not be made, with what to do about it.
pub fn not_made(error: docker::Error) -> Failure {
    let hint = match &error {
        docker::Error::NotFound(_) => "`pull = true` pulls an image that is not there, with a grant in `docker.pull`",
        _ => return error.into(),
    };
    Failure::from(error).hint(hint)
}
