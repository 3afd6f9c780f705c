//! What a router does for whoever deploys, whichever proxy carries the traffic.

use crate::api::{Applied, Apply, Drain, DrainAnswer, Hold, HoldAnswer, Measurements, Release, State, Window};
use crate::{Client, ClientError};
use async_trait::async_trait;
use std::fmt::Debug;
use std::time::Duration;

/// A router under its table: the table alone says what is allowed, a driver makes it so.
#[async_trait]
pub trait Driver: Debug + Send + Sync {
    /// Everything, as it is now.
    async fn state(&self) -> Result<State, ClientError>;

    /// Changes the table. It is durable, and holds for new requests, when this returns.
    async fn apply(&self, apply: &Apply) -> Result<Applied, ClientError>;

    /// Lets what is under way at a revision or a container finish, and cuts it at the limit.
    async fn drain(&self, drain: &Drain) -> Result<DrainAnswer, ClientError>;

    /// Lets new requests of a service wait.
    async fn hold(&self, hold: &Hold) -> Result<HoldAnswer, ClientError>;

    /// Lets them go on.
    async fn release(&self, release: &Release) -> Result<HoldAnswer, ClientError>;

    /// What was measured of a service in a window.
    async fn measurements(&self, service: &str, window: Window) -> Result<Measurements, ClientError>;

    /// What was measured in the window that ends now.
    async fn measurements_of_last(&self, service: &str, last: Duration) -> Result<Measurements, ClientError>;
}

#[async_trait]
impl Driver for Client {
    async fn state(&self) -> Result<State, ClientError> {
        Self::state(self).await
    }

    async fn apply(&self, apply: &Apply) -> Result<Applied, ClientError> {
        Self::apply(self, apply).await
    }

    async fn drain(&self, drain: &Drain) -> Result<DrainAnswer, ClientError> {
        Self::drain(self, drain).await
    }

    async fn hold(&self, hold: &Hold) -> Result<HoldAnswer, ClientError> {
        Self::hold(self, hold).await
    }

    async fn release(&self, release: &Release) -> Result<HoldAnswer, ClientError> {
        Self::release(self, release).await
    }

    async fn measurements(&self, service: &str, window: Window) -> Result<Measurements, ClientError> {
        Self::measurements(self, service, window).await
    }

    async fn measurements_of_last(&self, service: &str, last: Duration) -> Result<Measurements, ClientError> {
        Self::measurements_of_last(self, service, last).await
    }
}
