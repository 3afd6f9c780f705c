// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/**
 * Containers and images. The daemon's socket and its host configuration stay with the host.
 *
 * Containers, networks and volumes go by the names that the pipeline gives them. A step sees and
 * touches only what its own pipeline made. Output of builds, pulls, pushes and containers flows
 * into the step's log; calls return a bounded tail.
 */
import type { Bytes, Integer, Pairs, Value, Values } from '../values.js';
import type * as value from './value.js';

/** Why a call failed. */
export type ErrorCode =
  /** No grant allows it, or it is never allowed; says which grant is missing. */
  | 'denied'
  /** There is no such image, container, network or volume. */
  | 'not-found'
  /** The name is taken by something else. */
  | 'conflict'
  /** The request is not acceptable; says why. */
  | 'invalid'
  /** The daemon cannot be reached, or has gone away. */
  | 'unavailable'
  /** The registry cannot be reached. */
  | 'registry-unavailable'
  /** The registry does not accept the credentials. */
  | 'unauthorized'
  /** The build failed; has its last lines. */
  | 'build-failed'
  /** A port is in use by something else. */
  | 'port-in-use'
  /** The time limit passed. */
  | 'timed-out'
  /** Docker's disk is full. */
  | 'disk-full'
  /** Anything else. */
  | 'other'
;

/** A build of an image. */
export interface BuildSpec {
  /** The folder to build in, relative to the pipeline's own. `.dockerignore` holds. */
  context: string;
  /** The Dockerfile, relative to the context; `Dockerfile` if absent. */
  dockerfile?: string | null;
  /** The names to give the image, each `repository:tag`. */
  tags?: string[];
  /** Build arguments. They show in the image's history: no place for secrets. */
  args?: Pairs;
  /** The stage of the Dockerfile to build; the last if absent. */
  target?: string | null;
  /** Labels to put on the image. */
  labels?: Pairs;
  /** The platform, as `linux/arm64`; the daemon's own if absent. */
  platform?: string | null;
  /** Whether to build every layer anew. */
  noCache?: boolean;
  /** Whether to pull a newer base image. */
  pull?: boolean;
  /** Secrets for `RUN --mount=type=secret,id=...`; BuildKit only. */
  secrets?: Values;
}

/** The builders of a daemon. */
export type Builder =
  /** The classic builder. */
  | 'classic'
  /** BuildKit. */
  | 'buildkit'
;

/** A built image. */
export interface Built {
  /** The image's id, `sha256:...`. */
  id: string;
  /** The names that it was given. */
  tags: string[];
  /** Which builder made it. */
  builder: Builder;
}

/** How to log in at a registry. */
export interface Credentials {
  /** The user. */
  username: string;
  /** The password or token. */
  password: Value;
}

/** A pushed or pulled image. */
export interface Transferred {
  /** The name that was pushed or pulled, `repository:tag`. */
  reference: string;
  /** The manifest's digest in the registry, `sha256:...`. */
  digest: string;
  /** `repository@digest`: what to run for exactly this image. */
  pinned: string;
}

/** What is known of an image. */
export interface Image {
  /** The image's id, `sha256:...`. */
  id: string;
  /** Its names, `repository:tag`. */
  tags: string[];
  /** Its digests in registries, `repository@sha256:...`. */
  digests: string[];
  /** Its size in bytes. */
  size: number;
  /** When it was made, by RFC 3339. */
  created: string;
  /** Its platform, as `linux/amd64`. */
  platform: string;
  /** Its labels. */
  labels: value.Pair[];
  /** The ports that it exposes, as `8080/tcp`. */
  exposedPorts: string[];
}

/** The protocol of a port. */
export type Protocol =
  /** TCP. */
  | 'tcp'
  /** UDP. */
  | 'udp'
;

/** A port to publish. */
export interface Port {
  /** The port inside the container. */
  container: number;
  /** The port on the host; one that is free if absent. */
  host?: number | null;
  /** The host's address; `127.0.0.1` if absent. Any other needs a grant. */
  address?: string | null;
  /** The protocol. */
  protocol?: Protocol;
}

/** What is mounted. */
export type MountSource =
  /** A folder of the host, relative to the pipeline's own. */
  | { folder: string }
  /** A volume, by its name in the pipeline. */
  | { volume: string }
  /** Memory, of so many bytes at most. */
  | { tmpfs: Integer }
;

/** A mount. */
export interface Mount {
  /** What is mounted. */
  source: MountSource;
  /** Where in the container; absolute. */
  target: string;
  /** Whether the container may write to it. */
  writable?: boolean;
}

/** When Docker starts a container again by itself. */
export type Restart =
  /** Never. */
  | 'no'
  /** When it fails, so many times at most; 0 is for ever. */
  | { onFailure: number }
  /** Until it is stopped. */
  | 'unless-stopped'
  /** Always. */
  | 'always'
;

/** A health check that Docker makes by itself. */
export interface Healthcheck {
  /** The command in the container; exit code 0 is healthy. */
  command?: string[];
  /** Time between checks in milliseconds. */
  intervalMs: Integer;
  /** Time limit of a check in milliseconds. */
  timeoutMs: Integer;
  /** How many failures in a row make it unhealthy. */
  retries: number;
  /** Time after the start in which failures do not count, in milliseconds. */
  startPeriodMs: Integer;
}

/** A container to be made. Privileges, devices, host namespaces and the like do not exist here. */
export interface ContainerSpec {
  /** The image: a name, a pinned name or an id. */
  image: string;
  /** Replaces the image's command. */
  command?: string[] | null;
  /** Replaces the image's entry point. */
  entrypoint?: string[] | null;
  /** Environment variables. */
  env?: Values;
  /** The user, as `1000:1000`. */
  user?: string | null;
  /** The working directory. */
  workingDirectory?: string | null;
  /** Labels, beside those of Windlass. */
  labels?: Pairs;
  /** Ports to publish. */
  ports?: Port[];
  /** Mounts. */
  mounts?: Mount[];
  /** Networks to join, by their names in the pipeline; Docker's bridge if empty. */
  networks?: string[];
  /** Names by which others on those networks reach it. */
  aliases?: string[];
  /** Whether it has no network at all. */
  noNetwork?: boolean;
  /** Most memory in bytes; 1 GiB if absent. */
  memory?: Integer | null;
  /** Most processors, in thousandths; 2,000 if absent. */
  cpuMillis?: number | null;
  /** Most processes; 1,024 if absent. */
  processes?: number | null;
  /** Whether the root file system is read-only. */
  readOnlyRoot?: boolean;
  /** When Docker starts it again by itself. */
  restart?: Restart;
  /** A health check that Docker makes by itself; the image's own if absent. */
  healthcheck?: Healthcheck | null;
}

/** A published port. */
export interface Published {
  /** The port inside the container. */
  container: number;
  /** The protocol. */
  protocol: Protocol;
  /** The host's address. */
  address: string;
  /** The port on the host. */
  host: number;
}

/** Whether a container runs. */
export type ContainerState =
  /** Made, never started. */
  | 'created'
  /** It runs. */
  | 'running'
  /** Docker is starting it again. */
  | 'restarting'
  /** It is paused. */
  | 'paused'
  /** It has ended. */
  | 'exited'
  /** Docker failed to remove it. */
  | 'dead'
;

/** What Docker's own health check says. */
export type HealthState =
  /** There is no check. */
  | 'none'
  /** Too early to say. */
  | 'starting'
  /** Healthy. */
  | 'healthy'
  /** Not healthy. */
  | 'unhealthy'
;

/** What is known of a container. */
export interface Container {
  /** Its name in the pipeline; empty for a run to completion. */
  name: string;
  /** Docker's id. */
  id: string;
  /** The image it was made from, as it was asked for. */
  image: string;
  /** That image's id. */
  imageId: string;
  /** Whether it runs. */
  state: ContainerState;
  /** What Docker's own health check says. */
  health: HealthState;
  /** Its exit code, once it has ended. */
  exitCode?: number;
  /** Whether it was ended because it took too much memory. */
  oomKilled: boolean;
  /** Published ports. */
  ports: Published[];
  /** Its addresses, by network. */
  addresses: value.Pair[];
  /** Its labels, without those of Windlass. */
  labels: value.Pair[];
  /** The run that made it. */
  run: string;
  /** When it was started, by RFC 3339; empty if never. */
  started: string;
}

/** How long a container, network or volume stays. */
export type Lifetime =
  /** Until the end of the run. */
  | 'run'
  /** Until it is removed; a run that fails or is cancelled takes what it made along. */
  | 'kept'
;

/** How a run to completion or an exec ended. */
export interface Exit {
  /** The exit code. */
  code: number;
  /** Whether it was ended because it took too much memory. */
  oomKilled: boolean;
  /** The last bytes of standard output as text, at most 64 KiB. All of it is in the step's log. */
  stdoutTail: string;
  /** The last bytes of standard error as text, at most 64 KiB. */
  stderrTail: string;
}

/** A command for a running container. */
export interface ExecSpec {
  /** The container, by its name in the pipeline. */
  container: string;
  /** The command. */
  command?: string[];
  /** Environment variables, beside the container's. */
  env?: Values;
  /** The user, as `1000:1000`. */
  user?: string | null;
  /** The working directory. */
  workingDirectory?: string | null;
  /** After how many milliseconds to stop waiting. */
  timeoutMs?: Integer | null;
}

/** Which lines of a container's log. */
export interface LogQuery {
  /** The container, by its name in the pipeline. */
  container: string;
  /** How many lines from the end; all if absent. */
  tail?: number | null;
  /** Only what came after, in seconds since the Unix epoch. */
  since?: Integer | null;
  /** For how many milliseconds to follow what comes; 0 takes what there is. */
  followMs: Integer;
}

/** Output without an end. */
export interface Output {
  /** The last bytes of standard output as text, at most 64 KiB. */
  stdoutTail: string;
  /** The last bytes of standard error as text, at most 64 KiB. */
  stderrTail: string;
}

/** What a container uses at the moment. */
export interface Usage {
  /** Processor time since its start, in microseconds. */
  cpuTimeUs: number;
  /** Memory in bytes. */
  memory: number;
  /** Its memory limit in bytes. */
  memoryLimit: number;
  /** Bytes received over networks. */
  received: number;
  /** Bytes sent over networks. */
  sent: number;
  /** Processes and threads. */
  processes: number;
}

/**
 * Builds an image. The host packs the context itself and follows no symlink out of it.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function build(spec: BuildSpec): Built;

/**
 * Gives an image another name.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function tag(image: string, reference: string): void;

/**
 * Pushes an image to its registry.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function push(reference: string, credentials?: Credentials | null): Transferred;

/**
 * Pulls an image from its registry.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function pull(reference: string, credentials?: Credentials | null, platform?: string | null): Transferred;

/**
 * What is known of an image that the daemon has.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function inspectImage(reference: string): Image;

/**
 * The images of a repository that the daemon has.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function listImages(repository: string): Image[];

/**
 * Runs a container to its end and removes it. Its output flows into the step's log.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function run(spec: ContainerSpec, timeoutMs?: Integer | null): Exit;

/**
 * Makes and starts a container that goes on. The name is free in this pipeline, or it is a conflict.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function start(name: string, spec: ContainerSpec, lifetime?: Lifetime): Container;

/**
 * Runs a command in a container. Its output flows into the step's log.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function exec(spec: ExecSpec): Exit;

/**
 * What is known of a container.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function inspect(container: string): Container;

/**
 * The containers of this pipeline, ended ones included.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function list(): Container[];

/**
 * A container's log. All of it flows into the step's log; a bounded tail is returned.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function logs(query: LogQuery): Output;

/**
 * What a container uses at the moment.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function stats(container: string): Usage;

/**
 * Waits until Docker's own health check says healthy, or the container ends or gets unhealthy.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function waitHealthy(container: string, timeoutMs: Integer): Container;

/**
 * Starts a container again that has ended or was stopped. One that runs is fine.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function startAgain(container: string): Container;

/**
 * Stops a container: SIGTERM, and SIGKILL after the grace. One that has ended is fine.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function stop(container: string, graceMs: Integer): void;

/**
 * Removes a container that has ended, or one that runs by force. One that is gone is fine.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function remove(container: string, force?: boolean): void;

/**
 * Makes a network; one of this name that this pipeline made is taken as it is.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function createNetwork(name: string, internal?: boolean, lifetime?: Lifetime): void;

/**
 * Removes a network. One that is gone is fine.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function removeNetwork(name: string): void;

/**
 * Makes a volume; one of this name that this pipeline made is taken as it is.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function createVolume(name: string, lifetime?: Lifetime): void;

/**
 * Removes a volume with its content. One that is gone is fine.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function removeVolume(name: string): void;

export {};
