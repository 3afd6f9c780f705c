//! What a service is called in the router's table: a service of an environment is another one than that of the same name
//! elsewhere.

use windlass_gate::{Call, CallError};

/// The longest name: that of the environment comes before it.
const LONGEST: usize = 63;

/// In the details of a deployment: whose service it is.
pub(crate) const SERVICE: &str = "windlass.service";
/// The environment; missing: none.
pub(crate) const ENVIRONMENT: &str = "windlass.environment";
/// The step that began it.
pub(crate) const STEP: &str = "windlass.step";

/// Its name in the table.
pub(crate) fn in_table(call: &Call, service: &str) -> Result<String, CallError> {
    check("service", service)?;
    Ok(match &call.environment {
        Some(environment) => format!("{environment}.{service}"),
        None => service.to_owned(),
    })
}

/// Refuses a name that could not stand in a header, a cookie or a message. A dot would make it that of an environment.
pub(crate) fn check(kind: &str, name: &str) -> Result<(), CallError> {
    let fits = name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (c == '.' && kind != "service"));
    if fits {
        return Ok(());
    }
    Err(CallError::Invalid(format!(
        "`{name}` cannot be the name of a {kind}: a name has 1 to {LONGEST} letters, digits, `-` and `_`, and begins with a letter or digit"
    )))
}
