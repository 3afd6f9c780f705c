//! `windlass:http`.

use serde_json::json;
use windlass_gate::Function;

use crate::contract::windlass::http::http::{Error, Host, Request, Response};
use crate::state::State;

impl Host for State {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        self.call(Function::HttpSend, json!({ "request": request })).await
    }
}
