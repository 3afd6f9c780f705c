//! What holds of every driver: the same tests, before the router and before HAProxy.

pub(crate) mod deploying;
pub(crate) mod draining;
pub(crate) mod measuring;
pub(crate) mod splitting;

/// The tests, for something that stands before the servers.
macro_rules! tests {
    ($stand:ty) => {
        $crate::both::tests!($stand, splitting, [
            the_split_is_exact_over_ten_thousand_requests_of_32_connections,
            replicas_share_what_their_revision_gets,
            twenty_switches_under_load_fail_no_request,
            an_endpoint_that_is_not_vouched_for_gets_nothing,
            without_weights_requests_are_answered_503
        ]);
        $crate::both::tests!($stand, draining, [
            what_is_under_way_finishes_within_the_limit,
            what_does_not_finish_is_cut_at_the_limit_even_if_it_is_silent,
            one_container_is_drained_when_it_is_not_declared_ready_any_more
        ]);
        $crate::both::tests!($stand, measuring, [
            requests_and_errors_are_counted_by_revision_and_container,
            an_address_that_is_used_again_is_counted_for_its_new_container,
            what_nobody_could_serve_is_counted_for_the_service
        ]);
        $crate::both::tests!($stand, deploying, [
            a_delivery_under_load_fails_no_request_and_leaves_nothing_of_the_old,
            an_abort_under_load_fails_no_request_and_brings_everything_back,
            a_service_is_changed_by_its_run_alone_and_no_more_than_its_replicas_carry,
            a_stale_generation_is_refused_with_the_current_one,
            the_same_identity_is_applied_once
        ]);
    };
    ($stand:ty, $module:ident, [$($name:ident),*]) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $crate::both::$module::$name::<$stand>().await;
            }
        )*
    };
}

pub(crate) use tests;
