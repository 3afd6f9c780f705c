//! Plugins in container registries: pushed, pulled, verified while they come, and cached by digest.
