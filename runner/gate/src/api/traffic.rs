//! Traffic: how a service's requests reach its revisions, and what was measured of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Nothing, Pair, choice, operation, record};

record! {
    /// A replica, as the router sees it.
    ReplicaState {
        /// The container, by its name in the pipeline; empty if nobody said.
        container: String,
        /// Docker's id of the container.
        id: String,
        /// The port inside the container.
        port: u16,
        /// Where the router reaches it.
        address: String,
        /// It gets requests when its revision does.
        ready: bool,
        /// Why it is not ready.
        because: Option<String>,
        /// It may get requests at present.
        serving: bool,
        /// It is being drained.
        draining: bool,
        /// Requests and WebSockets under way.
        in_flight: u64,
    }
    /// A revision, as the router sees it. Weights are in hundredths of a percent.
    RevisionState {
        /// Its name.
        name: String,
        /// Its declared weight.
        weight: u32,
        /// What it gets now.
        share: u32,
        /// The highest weight that its ready replicas carry.
        cap: u32,
        /// Replicas that are ready now.
        ready: u32,
        /// How many ready replicas carry all of the traffic.
        replicas: u32,
        /// Requests and WebSockets under way.
        in_flight: u64,
        /// Its replicas.
        endpoints: Vec<ReplicaState>,
    }
    /// A deploy that is not over.
    OpenDeployment {
        /// The run that has reserved the service.
        run: String,
        /// The revision that is being deployed.
        revision: String,
        /// The one that served before, if there was one.
        previous: Option<String>,
        /// How it is being deployed.
        strategy: String,
        /// Whether the revision is the service's own now.
        committed: bool,
    }
    /// A service, as the router sees it.
    State {
        /// Its name.
        service: String,
        /// Its newest change.
        generation: u64,
        /// The revision that was committed last.
        current: Option<String>,
        /// All revisions.
        revisions: Vec<RevisionState>,
        /// The deploy that is under way.
        deployment: Option<OpenDeployment>,
        /// The part of the requests for which nobody is ready, in hundredths of a percent.
        unserved: u32,
        /// The addresses at which the router listens.
        listeners: Vec<String>,
    }
    /// Which requests are a service's.
    Route {
        /// The host without its port; any if absent.
        host: Option<String>,
        /// Whole segments of the path.
        path: String,
        /// The router's listeners, by address; all if empty.
        listeners: Vec<String>,
        /// A preview: always this revision.
        revision: Option<String>,
    }
    /// Keeps a client with the revision that it saw first.
    Sticky {
        /// The cookie's name.
        cookie: String,
        /// How long the client keeps it in seconds; for its session if absent.
        max_age_s: Option<u64>,
    }
    /// The router's own check of each replica. Times are in milliseconds.
    RouterCheck {
        /// `GET` it, and take 200 to 399 for well; a connection is enough if absent.
        path: Option<String>,
        /// How often.
        interval_ms: u64,
        /// How long an answer may take.
        timeout_ms: u64,
        /// So many good answers in a row make a replica ready.
        up_after: u32,
        /// So many bad ones in a row make it unready.
        down_after: u32,
    }
    /// A deploy.
    Deployment {
        /// The service.
        service: String,
        /// The revision that is deployed.
        revision: String,
        /// How: a word for the record.
        strategy: String,
        /// Which requests are the service's.
        routes: Vec<Route>,
        /// How many ready replicas of the new revision carry all of the traffic.
        replicas: u32,
        /// Keeps clients with a revision.
        sticky: Option<Sticky>,
        /// The header with which testers choose a revision by name.
        override_header: Option<String>,
        /// The router's own check of each replica.
        check: Option<RouterCheck>,
        /// How long the router waits for a connection to a replica, in milliseconds.
        connect_timeout_ms: u64,
        /// How long the router waits between two reads, in milliseconds; 0: for ever.
        read_timeout_ms: u64,
        /// Whether nothing may serve for a time.
        downtime: bool,
        /// What to remember of it.
        details: Vec<Pair>,
    }
    /// A replica of a revision, as a plugin names it.
    Replica {
        /// The container, by its name in the pipeline.
        container: String,
        /// The port inside the container.
        port: u16,
        /// The plugin vouches for it.
        ready: bool,
    }
    /// A replica of a revision, found. Host only.
    Endpoint {
        /// The container, by its name in the pipeline.
        container: String,
        /// Docker's id of the container.
        id: String,
        /// The port inside the container.
        port: u16,
        /// `host:port` where the router reaches it.
        address: String,
        /// It is vouched for.
        ready: bool,
    }
    /// A revision's weight.
    Split {
        /// The revision.
        revision: String,
        /// Its weight in hundredths of a percent.
        weight: u32,
    }
    /// How far a drain got.
    Drained {
        /// Nothing is under way any more.
        done: bool,
        /// Requests and WebSockets that still are.
        in_flight: u64,
        /// Those that were cut when the time was over.
        cut: u64,
    }
    /// A bucket of a histogram.
    Bucket {
        /// Its upper bound in microseconds.
        le_us: u64,
        /// How many.
        count: u64,
    }
    /// What a revision did in a window of time.
    Measured {
        /// The revision.
        revision: String,
        /// Requests that ended.
        requests: u64,
        /// Those of them that failed.
        errors: u64,
        /// Answers by class: 1xx to 5xx.
        classes: Vec<u64>,
        /// Connections that could not be made.
        unreachable: u64,
        /// Requests that the client gave up.
        client_aborts: u64,
        /// Requests for which a tester chose the revision.
        chosen: u64,
        /// Median time to the first byte in microseconds.
        p50_us: u64,
        /// The 99th percentile of it.
        p99_us: u64,
        /// The longest.
        max_us: u64,
        /// The distribution.
        latency: Vec<Bucket>,
        /// Requests and WebSockets under way now.
        in_flight: u64,
    }
    /// What was measured of a service. Times are milliseconds since 1970 by the router's clock.
    Measurements {
        /// When the window begins.
        from_ms: u64,
        /// When it ends.
        to_ms: u64,
        /// The router's clock.
        now_ms: u64,
        /// Since when the router has measured without a gap.
        since_ms: u64,
        /// By revision.
        revisions: Vec<Measured>,
        /// Requests that no revision could take.
        unserved: u64,
    }
    /// A judgement, for the record.
    Judgement {
        /// The revision that was judged.
        revision: String,
        /// What judged it.
        metric: String,
        /// What it says.
        verdict: Verdict,
        /// What follows from it.
        next: String,
        /// Why, with the numbers.
        reason: String,
    }

    /// Asks how a service stands.
    Read {
        /// The service.
        service: String,
    }
    /// Reserves a service for the run.
    Begin {
        /// The deploy.
        deployment: Deployment,
    }
    /// Says which containers a revision consists of: a `docker.locate` for each, then `traffic.set-endpoints`.
    SetReplicas {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
        /// Its containers.
        replicas: Vec<Replica>,
    }
    /// The same, found. Host only.
    SetEndpoints {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
        /// Its containers.
        endpoints: Vec<Endpoint>,
    }
    /// Sets the weights.
    Shift {
        /// The service.
        service: String,
        /// By revision; what is not named gets nothing.
        weights: Vec<Split>,
    }
    /// Lets new requests wait.
    Hold {
        /// The service.
        service: String,
        /// For how many milliseconds at most.
        limit_ms: u64,
    }
    /// Lets held requests go on.
    Release {
        /// The service.
        service: String,
    }
    /// Lets what is under way finish.
    Drain {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
        /// One of its containers, by its name in the pipeline; all if absent.
        container: Option<String>,
        /// After how many milliseconds to cut what is left.
        limit_ms: u64,
    }
    /// Takes all weights away.
    TakeDown {
        /// The service.
        service: String,
    }
    /// Makes the new revision the service's own.
    Commit {
        /// The service.
        service: String,
    }
    /// Gives the previous revision all of the traffic back: `docker.start-again` and `docker.locate` for its
    /// containers, `traffic.set-endpoints`, `traffic.restore`, `traffic.drain`.
    Abort {
        /// The service.
        service: String,
        /// How long requests to the failed revision may take to finish, in milliseconds.
        drain_ms: u64,
    }
    /// The step of an abort that moves the traffic. Host only.
    Restore {
        /// The service.
        service: String,
    }
    /// Takes a revision out of the router.
    Retire {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
    }
    /// Ends the deploy after its commit.
    Finish {
        /// The service.
        service: String,
    }
    /// Reads what was measured.
    Measure {
        /// The service.
        service: String,
        /// From when on, by the router's clock.
        from_ms: Option<u64>,
        /// Without that, the last so many milliseconds.
        last_ms: u64,
    }
    /// Writes a judgement into the record.
    Judge {
        /// The service.
        service: String,
        /// The judgement.
        judgement: Judgement,
    }
    /// Asks which deploys of this run are not over. Host only.
    Open {}
    /// Asks for Docker's ids of the containers that the router's table names. Host only.
    Placed {}
    /// A deploy of this run that is not over. Host only.
    OpenService {
        /// The service, by its name in the pipeline.
        service: String,
        /// The environment that it belongs to.
        environment: Option<Arc<str>>,
        /// The step that began it, by its place in the plan.
        step: u32,
        /// Whether its revision is the service's own now.
        committed: bool,
    }
}

choice! {
    /// What an analysis says of the new revision.
    Verdict {
        /// Enough was seen, and nothing was wrong.
        Pass,
        /// It is bad.
        Fail,
        /// Nobody can say yet.
        InsufficientData,
        /// The source of the numbers does not work.
        Error,
    }
}

operation! {
    Read => TrafficRead -> State;
    Begin => TrafficBegin -> State;
    SetReplicas => TrafficSetReplicas -> State;
    SetEndpoints => TrafficSetEndpoints -> State;
    Shift => TrafficShift -> State;
    Hold => TrafficHold -> Nothing;
    Release => TrafficRelease -> Nothing;
    Drain => TrafficDrain -> Drained;
    TakeDown => TrafficTakeDown -> State;
    Commit => TrafficCommit -> State;
    Abort => TrafficAbort -> Nothing;
    Restore => TrafficRestore -> Nothing;
    Retire => TrafficRetire -> State;
    Finish => TrafficFinish -> Nothing;
    Measure => TrafficMeasure -> Measurements;
    Judge => TrafficJudge -> Nothing;
    Open => TrafficOpen -> Vec<OpenService>;
    Placed => TrafficPlaced -> Vec<String>;
}
