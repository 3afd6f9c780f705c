//! What HAProxy's runtime API cannot do for a service is refused before anything changes: a setting
//! that is taken and not kept is worse.

use crate::api::{Apply, Change, Refusal, Route, Service, Timeouts};

/// The change as HAProxy's table has it, if it can have it.
pub(super) fn accept(apply: &Apply) -> Result<Apply, Refusal> {
    let mut apply = apply.clone();
    match &mut apply.change {
        Change::Listeners { .. } => {
            return unsupported(
                "listeners are HAProxy's own",
                "write a `bind` line into a frontend of its configuration",
            );
        }
        Change::Service { name, service } | Change::Begin { name, service, .. } => {
            // Every request is what it gets without routes too: those that HAProxy brings to its backend.
            service.routes.retain(|route| !is_any(route));
            settings(name, service)?;
        }
        _ => {}
    }
    Ok(apply)
}

pub(super) fn hold() -> Refusal {
    let what = "HAProxy's runtime API cannot let the requests of a service wait";
    let instead = "switch without a hold, or use the router of Windlass (`windlass router start`)";
    Refusal::Unsupported { what: what.to_owned(), instead: instead.to_owned() }
}

fn is_any(route: &Route) -> bool {
    route.host.is_none() && route.path == "/" && route.listeners.is_empty() && route.revision.is_none()
}

fn settings(name: &str, service: &Service) -> Result<(), Refusal> {
    if service.routes.iter().any(|r| r.revision.is_some()) {
        let what = format!("a preview of service {name} is a route to one revision, and HAProxy has none");
        return unsupported(&what, "leave the preview out, or use the router of Windlass");
    }
    if !service.routes.is_empty() {
        let what = format!("which requests are for service {name} says HAProxy's configuration, not a route");
        return unsupported(&what, &format!("leave the routes out, and write `use_backend {name} if ...` there"));
    }
    if service.sticky.is_some() {
        let what = format!("service {name} cannot be sticky: servers that are added to HAProxy have no cookies");
        return unsupported(&what, "leave `sticky` out, or use the router of Windlass");
    }
    if service.override_header.is_some() {
        let what = format!("no header can choose a revision of service {name} in HAProxy");
        return unsupported(&what, "leave the header out, or use the router of Windlass");
    }
    if service.timeouts != Timeouts::default() {
        let what = format!("the timeouts of service {name} are those of its backend in HAProxy's configuration");
        return unsupported(&what, "leave them out, and write `timeout connect` and `timeout server` there");
    }
    Ok(())
}

fn unsupported<T>(what: &str, instead: &str) -> Result<T, Refusal> {
    Err(Refusal::Unsupported { what: what.to_owned(), instead: instead.to_owned() })
}
