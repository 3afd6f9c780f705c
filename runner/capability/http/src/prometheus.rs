//! Asks a Prometheus for the value of an expression.
//!
//! Source of the API: <https://prometheus.io/docs/prometheus/latest/querying/api/>. The grant names the server's URL;
//! no redirect is followed, so nobody else is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;
use windlass_gate::CallError;
use windlass_gate::api::Pair;
use windlass_gate::api::query::{Prometheus, Sample};

use crate::client::Clients;
use crate::{address, body, fault, words};

/// The largest answer that is read.
const LARGEST: u64 = 4 << 20;

/// The API's answer, as far as it matters here.
#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: Point,
}

/// Seconds since 1970, and the number as text.
#[derive(Deserialize)]
struct Point(#[expect(dead_code, reason = "a query is about now")] f64, String);

/// Asks once.
pub(crate) async fn ask(clients: &Clients, query: &Prometheus) -> Result<Vec<Sample>, CallError> {
    let base = query.url.trim_end_matches('/');
    let mut url = address::url(&format!("{base}/api/v1/query"))?;
    url.query_pairs_mut().append_pair("query", &query.expression);
    if query.timeout_ms == 0 {
        return Err(CallError::Invalid("the time limit of a query is 0; give it at least 1 ms".to_owned()));
    }
    let limit = Duration::from_millis(query.timeout_ms);
    let client = clients.of(&url)?;
    let asked = async {
        let sent = client.get(url).send().await;
        let mut response = sent.map_err(|error| fault::of_request(&format!("Prometheus at {base}"), &error))?;
        let status = response.status();
        let text = body::whole(&mut response, LARGEST).await.map_err(|error| match error {
            body::BodyError::TooLarge => CallError::Invalid(format!(
                "Prometheus at {base} answered with more than {LARGEST} bytes: aggregate the expression, with `sum` say"
            )),
            body::BodyError::Broken(error) => fault::of_request(&format!("Prometheus at {base}"), &error),
        })?;
        Ok((status, text))
    };
    let (status, text) = timeout(limit, asked).await.map_err(|_| {
        CallError::Unavailable(format!("Prometheus at {base} gave no answer within {}", words::time(limit)))
    })??;
    let answer: Answer = serde_json::from_slice(&text).map_err(|_| {
        CallError::Unavailable(format!("what answers at {base} is no Prometheus: HTTP {}", status.as_u16()))
    })?;
    match answer.data {
        Some(data) if answer.status == "success" => samples(data),
        // What is wrong with the expression; anything else is the server's own trouble.
        _ if status.is_client_error() => {
            Err(CallError::Invalid(format!("Prometheus at {base} refuses the expression: {}", answer.error)))
        }
        _ => Err(CallError::Unavailable(format!("Prometheus at {base} cannot answer: {}", answer.error))),
    }
}

fn samples(data: Data) -> Result<Vec<Sample>, CallError> {
    let wrong =
        |error: serde_json::Error| CallError::Other(format!("the answer of Prometheus makes no sense: {error}"));
    match data.result_type.as_str() {
        "vector" => {
            let series: Vec<Series> = serde_json::from_value(data.result).map_err(wrong)?;
            Ok(series.into_iter().map(|series| sample(series.metric, &series.value.1)).collect())
        }
        "scalar" => {
            let point: Point = serde_json::from_value(data.result).map_err(wrong)?;
            Ok(vec![sample(BTreeMap::new(), &point.1)])
        }
        other => Err(CallError::Invalid(format!(
            "the expression gives a {other}; a single number for each series is needed, so ask with a function such as `rate` or `sum`"
        ))),
    }
}

fn sample(labels: BTreeMap<String, String>, value: &str) -> Sample {
    let labels = labels.into_iter().map(|(name, value)| Pair { name, value }).collect();
    Sample { labels, value: value.parse::<f64>().ok().filter(|value| value.is_finite()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Sample>, CallError> {
        samples(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_vector_is_its_samples_and_what_is_no_number_has_no_value() {
        let text = r#"{"resultType":"vector","result":[
            {"metric":{"server":"v1"},"value":[1700000000.1,"0.25"]},
            {"metric":{"server":"v2"},"value":[1700000000.1,"NaN"]},
            {"metric":{"server":"v3"},"value":[1700000000.1,"+Inf"]}]}"#;
        let values: Vec<_> = read(text).unwrap().into_iter().map(|s| (s.labels[0].value.clone(), s.value)).collect();
        assert_eq!(values, [("v1".to_owned(), Some(0.25)), ("v2".to_owned(), None), ("v3".to_owned(), None)]);
    }

    #[test]
    fn a_scalar_is_one_sample_and_nothing_is_none() {
        assert_eq!(read(r#"{"resultType":"scalar","result":[1,"3"]}"#).unwrap()[0].value, Some(3.0));
        assert_eq!(read(r#"{"resultType":"vector","result":[]}"#).unwrap(), []);
    }

    #[test]
    fn a_range_is_refused_with_what_helps() {
        let error = read(r#"{"resultType":"matrix","result":[]}"#).unwrap_err();
        assert!(error.message().contains("`rate`"), "{error}");
    }
}
