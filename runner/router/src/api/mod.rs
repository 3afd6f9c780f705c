//! The words that the router's control API speaks: plain data, JSON on the wire.
//!
//! They are the contract with whoever sets weights or reads measurements. Unknown fields are
//! refused in what is sent to the router, and tolerated in what it answers, so that a newer router
//! can say more to an older reader.

mod control;
mod deploy;
mod measure;
mod state;
mod table;
mod weight;

pub use control::{Applied, Apply, Change, Drain, DrainAnswer, ErrorBody, Hold, HoldAnswer, Refusal, Release, Stop};
pub use deploy::{Deployment, Intent};
pub use measure::{Containers, Counts, Latency, Measurements, RevisionMeasurements, Window};
pub use state::{EndpointState, Health, Phase, RevisionState, ServiceState, State};
pub use table::{Care, Certificate, Endpoint, HealthCheck, Listener, Revision, Route, Service, Sticky, Timeouts, Tls};
pub use weight::{BadWeight, Weight};
