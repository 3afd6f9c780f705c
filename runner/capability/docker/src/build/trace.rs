//! BuildKit's progress: the fields of `moby.buildkit.v1.StatusResponse` that people read.

use super::proto::Fields;

/// What happened since the last one.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) vertices: Vec<Vertex>,
    pub(super) layers: Vec<Layer>,
    pub(super) logs: Vec<Log>,
    pub(super) warnings: Vec<Vec<u8>>,
}

/// A step of the build.
#[derive(Debug, Default)]
pub(super) struct Vertex {
    pub(super) digest: String,
    pub(super) name: String,
    pub(super) cached: bool,
    pub(super) started: bool,
    pub(super) error: String,
}

/// Something that is transferred.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) id: String,
    pub(super) total: i64,
    pub(super) completed: bool,
}

/// What a step printed.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The step and its stream: standard output and standard error have lines of their own.
    pub(super) source: String,
    pub(super) text: Vec<u8>,
}

impl Status {
    /// Reads a message. `None` if there is nothing in it.
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let mut status = Self::default();
        for (number, field) in Fields(message) {
            let inner = Fields(field.bytes());
            match number {
                1 => status.vertices.push(inner.fold(Vertex::default(), |mut vertex, (number, field)| {
                    match number {
                        1 => vertex.digest = field.text(),
                        3 => vertex.name = field.text(),
                        4 => vertex.cached = field.number() != 0,
                        5 => vertex.started = true,
                        7 => vertex.error = field.text(),
                        _ => {}
                    }
                    vertex
                })),
                2 => status.layers.push(inner.fold(Layer::default(), |mut layer, (number, field)| {
                    match number {
                        1 => layer.id = field.text(),
                        5 => layer.total = field.number().cast_signed(),
                        8 => layer.completed = true,
                        _ => {}
                    }
                    layer
                })),
                3 => status.logs.push(inner.fold(Log::default(), |mut log, (number, field)| {
                    match number {
                        1 => log.source.insert_str(0, &field.text()),
                        3 => log.source.push_str(&format!(" {}", field.number())),
                        4 => log.text = field.bytes().to_vec(),
                        _ => {}
                    }
                    log
                })),
                4 => status
                    .warnings
                    .extend(inner.filter(|(number, _)| *number == 3).map(|(_, field)| field.bytes().to_vec())),
                _ => {}
            }
        }
        let empty = status.vertices.is_empty()
            && status.layers.is_empty()
            && status.logs.is_empty()
            && status.warnings.is_empty();
        (!empty).then_some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::super::proto::{put_bytes, put_number};
    use super::*;

    #[test]
    fn a_status_is_read() {
        let mut vertex = Vec::new();
        put_bytes(&mut vertex, 1, b"sha256:1");
        put_bytes(&mut vertex, 3, b"[2/2] RUN false");
        put_number(&mut vertex, 4, 1);
        put_bytes(&mut vertex, 5, b"");
        put_bytes(&mut vertex, 7, b"exit code: 1");
        let mut log = Vec::new();
        put_bytes(&mut log, 1, b"sha256:1");
        put_number(&mut log, 3, 2);
        put_bytes(&mut log, 4, b"oh no\n");
        let mut message = Vec::new();
        put_bytes(&mut message, 1, &vertex);
        put_bytes(&mut message, 3, &log);
        put_bytes(&mut message, 9, b"from the future");
        let status = Status::decode(&message).expect("a status");
        assert_eq!(
            (status.vertices[0].name.as_str(), status.vertices[0].error.as_str()),
            ("[2/2] RUN false", "exit code: 1")
        );
        assert!(status.vertices[0].cached && status.vertices[0].started);
        assert_eq!((status.logs[0].source.as_str(), status.logs[0].text.as_slice()), ("sha256:1 2", &b"oh no\n"[..]));
        assert!(Status::decode(b"").is_none());
    }
}
