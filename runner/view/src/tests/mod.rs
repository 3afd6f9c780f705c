//! Tests of what people and programs see, from records made up here.

mod clean;
mod deployments;
mod live;
mod load;
mod report;
mod story;
mod trace;
