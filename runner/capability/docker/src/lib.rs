//! What a docker grant can give: the Docker Engine, through bollard.
