// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Checks whether something is healthy, as often as needed. Each attempt is journaled. */
import type { Integer } from '../values.js';

/** Why a check could not be made at all. Something that stays unhealthy is not an error. */
export type ErrorCode =
  /** No grant allows it; says which one is missing. */
  | 'denied'
  /** There is no such container. */
  | 'not-found'
  /** The check is not acceptable; says why. */
  | 'invalid'
  /** What makes the check is not there: Docker, say. */
  | 'unavailable'
  /** Anything else. */
  | 'other'
;

/** What to ask over HTTP. */
export interface HttpProbe {
  /** The lowest status that counts as healthy; 200 if absent. */
  statusMin?: number | null;
  /** The highest status that counts as healthy; 299 if absent. */
  statusMax?: number | null;
  /** Text that the body has to contain. */
  bodyContains?: string | null;
}

/** A port of a container. The host knows how to reach it. */
export interface ContainerPort {
  /** The container, by its name in the pipeline. */
  container: string;
  /** The port inside the container. */
  port: number;
}

/** A path of a container's HTTP port. */
export interface ContainerHttp {
  /** The port. */
  port: ContainerPort;
  /** The path with its query, as `/health`. */
  path: string;
  /** What the answer has to be. */
  probe: HttpProbe;
}

/** A URL to ask. */
export interface UrlHttp {
  /** The URL. */
  url: string;
  /** What the answer has to be. */
  probe: HttpProbe;
}

/** A command to run in a container; exit code 0 is healthy. */
export interface ContainerCommand {
  /** The container, by its name in the pipeline. */
  container: string;
  /** The command. */
  command?: string[];
}

/** What to check. */
export type Target =
  /** A GET of a URL. */
  | { url: UrlHttp }
  /** A GET of a container's port. */
  | { containerHttp: ContainerHttp }
  /** A TCP connection to `host:port`. */
  | { tcp: string }
  /** A TCP connection to a container's port. */
  | { containerTcp: ContainerPort }
  /** A command in a container. */
  | { command: ContainerCommand }
  /** Docker's own HEALTHCHECK of a container; a container without one is healthy when it runs. */
  | { docker: string }
;

/** How often to ask, and when to be sure. */
export interface Policy {
  /** Time between attempts in milliseconds. */
  intervalMs: Integer;
  /** Time limit of one attempt in milliseconds. */
  timeoutMs: Integer;
  /** How many failures in a row make it unhealthy. */
  retries: number;
  /** Time from the first attempt on in which failures do not count, in milliseconds. */
  startPeriodMs: Integer;
  /** How many successes in a row make it healthy. */
  successThreshold: number;
}

/** What came of it. */
export interface Report {
  /** Whether it is healthy. */
  healthy: boolean;
  /** How many attempts were made. */
  attempts: number;
  /** What the last attempt saw. */
  last: string;
}

/**
 * Asks once.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function check(target: Target, timeoutMs: Integer): Report;

/**
 * Asks until it is healthy, or is not going to be. A container that has exited ends the wait.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function wait(target: Target, policy: Policy): Report;

export {};
