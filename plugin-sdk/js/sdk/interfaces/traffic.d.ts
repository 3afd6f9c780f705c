// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/**
 * How a service's traffic reaches its revisions, and what the router measured of them.
 *
 * A deploy reserves its service for the run with `begin` and gives it back with `finish`, or with
 * `abort`. What must never happen is refused by the host and the router, whoever asks: a weight
 * above what ready replicas carry, traffic for nobody without a grant for downtime, a second
 * deploy of the same service. Services go by the names that the pipeline gives them; those of
 * another environment are others. A weight is in hundredths of a percent, from 0 to 10000.
 */
import type { Integer, Pairs } from '../values.js';

/** Why a call failed. */
export type ErrorCode =
  /** No grant allows it; says which one is missing. */
  | 'denied'
  /** There is no such service, revision or container. */
  | 'not-found'
  /** The service is another pipeline's, or another run deploys it; says who. */
  | 'conflict'
  /** It would break what a deploy promises: too few ready replicas, downtime, an end that is none. */
  | 'unsafe'
  /** The request is not acceptable; says why. */
  | 'invalid'
  /** The router is not there. */
  | 'unavailable'
  /** The router cannot do this at all: another one might. */
  | 'unsupported'
  /** Anything else. */
  | 'other'
;

/** A replica, as the router sees it. */
export interface ReplicaState {
  /** The container, by its name in the pipeline; empty if nobody said. */
  container: string;
  /** Docker's id of the container. */
  id: string;
  /** The port inside the container. */
  port: number;
  /** Where the router reaches it. */
  address: string;
  /** It gets requests when its revision does. */
  ready: boolean;
  /** Why it is not ready. */
  because?: string;
  /** It may get requests at present. */
  serving: boolean;
  /** It is being drained. */
  draining: boolean;
  /** Requests and WebSockets under way. */
  inFlight: number;
}

/** A revision, as the router sees it. */
export interface RevisionState {
  /** Its name. */
  name: string;
  /** Its declared weight. */
  weight: number;
  /** What it gets now: less when it is unready, more when another is and it has room. */
  share: number;
  /** The highest weight that its ready replicas carry. */
  cap: number;
  /** Replicas that are ready now. */
  ready: number;
  /** How many ready replicas carry all of the traffic. */
  replicas: number;
  /** Requests and WebSockets under way. */
  inFlight: number;
  /** Its replicas. */
  endpoints: ReplicaState[];
}

/** A deploy that is not over. */
export interface OpenDeployment {
  /** The run that has reserved the service. */
  run: string;
  /** The revision that is being deployed. */
  revision: string;
  /** The one that served before, if there was one. */
  previous?: string;
  /** How it is being deployed. */
  strategy: string;
  /** Whether the revision is the service's own now. */
  committed: boolean;
}

/** A service, as the router sees it. */
export interface State {
  /** Its name. */
  service: string;
  /** Its newest change. */
  generation: number;
  /** The revision that was committed last. */
  current?: string;
  /** All revisions. */
  revisions: RevisionState[];
  /** The deploy that is under way. */
  deployment?: OpenDeployment;
  /** The part of the requests for which nobody is ready, in hundredths of a percent. */
  unserved: number;
  /** The addresses at which the router listens. */
  listeners: string[];
}

/** Which requests are the service's. The host counts before the path, and the longest path wins. */
export interface Route {
  /** The host without its port; any if absent. */
  host?: string | null;
  /** Whole segments of the path, as `/api`; `/` for all. */
  path: string;
  /** The router's listeners, by address; all if empty. */
  listeners?: string[];
  /** A preview: always this revision, whatever the weights say. It goes when the deploy is committed. */
  revision?: string | null;
}

/** Keeps a client with the revision that it saw first. */
export interface Sticky {
  /** The cookie's name. */
  cookie: string;
  /** How long the client keeps it in seconds; for its session if absent. */
  maxAgeS?: Integer | null;
}

/** The router's own check of each replica. */
export interface RouterCheck {
  /** `GET` it, and take 200 to 399 for well; a connection is enough if absent. */
  path?: string | null;
  /** How often, in milliseconds. */
  intervalMs: Integer;
  /** How long an answer may take, in milliseconds. */
  timeoutMs: Integer;
  /** So many good answers in a row make a replica ready. */
  upAfter: number;
  /** So many bad ones in a row make it unready. */
  downAfter: number;
}

/** A deploy. */
export interface Deployment {
  /** The service. */
  service: string;
  /** The revision that is deployed: a name that no other revision of the service has. */
  revision: string;
  /** How: a word for the record, as `canary`. */
  strategy: string;
  /** Which requests are the service's. */
  routes?: Route[];
  /** How many ready replicas of the new revision carry all of the traffic. */
  replicas: number;
  /** Keeps clients with a revision. */
  sticky?: Sticky | null;
  /** The header with which testers choose a revision by name; nobody can if absent. */
  overrideHeader?: string | null;
  /** The router's own check of each replica; the plugin's word is taken if absent. */
  check?: RouterCheck | null;
  /** How long the router waits for a connection to a replica, in milliseconds. */
  connectTimeoutMs: Integer;
  /** How long the router waits between two reads from a replica, in milliseconds; 0: for ever. */
  readTimeoutMs: Integer;
  /** Whether nothing may serve for a time: `take-down` works then. Needs a grant in `traffic.downtime`. */
  downtime?: boolean;
  /** What to remember of it, as the image. */
  details?: Pairs;
}

/** A replica of a revision. */
export interface Replica {
  /** The container, by its name in the pipeline. */
  container: string;
  /** The port inside the container. */
  port: number;
  /** The plugin vouches for it. It is ready when the router's own check agrees. */
  ready?: boolean;
}

/** A revision's weight. */
export interface Split {
  /** The revision. */
  revision: string;
  /** Its weight in hundredths of a percent. */
  weight: number;
}

/** How far a drain got. */
export interface Drained {
  /** Nothing is under way any more. */
  done: boolean;
  /** Requests and WebSockets that still are. */
  inFlight: number;
  /** Those that were cut when the time was over. */
  cut: number;
}

/** A bucket of a histogram. */
export interface Bucket {
  /** Its upper bound in microseconds. */
  leUs: number;
  /** How many. */
  count: number;
}

/** What a revision did in a window of time. */
export interface Measured {
  /** The revision. */
  revision: string;
  /** Requests that ended; those that clients gave up are not among them. */
  requests: number;
  /** Those of them that failed: answered 5xx, or not wholly answered. */
  errors: number;
  /** Answers by class: 1xx, 2xx, 3xx, 4xx, 5xx. */
  classes: Array<number>;
  /** Connections that could not be made. */
  unreachable: number;
  /** Requests that the client gave up. */
  clientAborts: number;
  /** Requests for which a tester chose the revision. */
  chosen: number;
  /** Median time to the first byte of the answer in microseconds; 0 without requests. */
  p50Us: number;
  /** The 99th percentile of it. */
  p99Us: number;
  /** The longest. */
  maxUs: number;
  /** The distribution, ascending, without empty buckets. The bounds are the same in every answer. */
  latency: Bucket[];
  /** Requests and WebSockets under way now. */
  inFlight: number;
}

/** What was measured of a service. Times are milliseconds since 1970 by the router's clock. */
export interface Measurements {
  /** When the window begins: whole seconds. */
  fromMs: number;
  /** When it ends. */
  toMs: number;
  /** The router's clock: where the next window begins. */
  nowMs: number;
  /** Since when the router has measured without a gap. */
  sinceMs: number;
  /** By revision. */
  revisions: Measured[];
  /** Requests that no revision could take. */
  unserved: number;
}

/** What an analysis says of the new revision. */
export type Verdict =
  /** Enough was seen, and nothing was wrong. */
  | 'pass'
  /** It is bad. */
  | 'fail'
  /** Nobody can say yet. */
  | 'insufficient-data'
  /** The source of the numbers does not work. */
  | 'error'
;

/** A judgement, for the record. */
export interface Judgement {
  /** The revision that was judged. */
  revision: string;
  /** What judged it: the metric's name, or the check's. */
  metric: string;
  /** What it says. */
  verdict?: Verdict;
  /** What follows from it, as `abort`. */
  next: string;
  /** Why, with the numbers. */
  reason: string;
}

/**
 * Asks how a service stands. `not-found` if it was never deployed.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function read(service: string): State;

/**
 * Reserves the service for this run, and makes it if it is new. The revisions that are there go on as they were.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function begin(deployment: Deployment): State;

/**
 * Says which containers a revision consists of. Leaving one out, or not vouching for it, takes it out of the
 * traffic; that is refused where the others do not carry the revision's weight.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function setReplicas(service: string, revision: string, replicas?: Replica[]): State;

/**
 * Sets the weights of all revisions; those that are not named get none. They add up to 10000.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function shift(service: string, weights?: Split[]): State;

/**
 * Lets new requests wait until `release`, or until the time is over: 60 seconds at most.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function hold(service: string, limitMs: Integer): void;

/**
 * Lets held requests go on.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function release(service: string): void;

/**
 * Lets what is under way finish: of a revision without weight, or of one of its containers that is not vouched
 * for. Waits for it, and cuts what is left when the time is over.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function drain(service: string, revision: string, container: string | null | undefined, limitMs: Integer): Drained;

/**
 * Takes all weights away: nothing serves. Needs a deploy that was begun with `downtime`.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function takeDown(service: string): State;

/**
 * Makes the new revision, which has all of the weight, the service's own. From here on there is no way back but
 * another deploy.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function commit(service: string): State;

/**
 * Gives the previous revision all of the traffic back and ends the deploy: starts its containers again where they
 * were stopped, and takes the new revision out. Fine if no deploy of this run is open.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function abort(service: string, drainMs: Integer): void;

/**
 * Takes a revision without weight, which is not the service's own, out of the router.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function retire(service: string, revision: string): State;

/**
 * Ends the deploy after its commit.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function finish(service: string): void;

/**
 * Reads what was measured from a moment on, by the router's clock; without it, the last so many milliseconds.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function measure(service: string, fromMs: Integer | null | undefined, lastMs: Integer): Measurements;

/**
 * Writes a judgement into the record of the deploy.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function judge(service: string, judgement: Judgement): void;

export {};
