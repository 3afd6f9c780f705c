//! What to do about errors, as the SDK for Rust says it as well. The host's messages say what failed; a denial names
//! the missing grant itself.

/// What to do about an error.
pub fn of(interface: &str, case: &str) -> Option<&'static str> {
    Some(match (interface, case) {
        ("docker" | "health", "unavailable") => "is Docker running? `windlass doctor` looks",
        ("docker", "registry-unavailable") => "is the registry's name right, and is it running?",
        ("docker", "unauthorized") => "check the credentials of the step, or log in at the registry",
        ("docker", "port-in-use") => "choose another port on the host, or leave it out to get one that is free",
        ("docker", "disk-full") => "`docker system prune` frees what is not used",
        ("query", "unavailable") => "is Prometheus running, and is its URL right?",
        ("traffic", "unavailable") => "`windlass router status` looks; `windlass router start` starts the router",
        _ => return None,
    })
}
