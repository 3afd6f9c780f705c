// The files of granted folders, by paths that are relative to the pipeline's folder.

import { Failure } from './index.js';

/** What the host said of a file or folder. */
export class FileError extends Failure {
  readonly path: string;
  /** As WASI calls it: `no-entry`, say. */
  readonly code: string;
}

/** A file's bytes. */
export function readFile(path: string): Uint8Array;
/** A file's text. */
export function readFile(path: string, encoding: 'utf8'): string;

/** Writes a file anew, from bytes or text. */
export function writeFile(path: string, content: Uint8Array | string): void;

/** The names in a folder, in their order. */
export function readFolder(path: string): string[];

/** What a path leads to, if to anything. */
export function kindOf(path: string): 'file' | 'folder' | 'other' | undefined;

/** Makes a folder, with those above it. One that is there is fine. */
export function makeFolder(path: string): void;

/** Removes a file. */
export function removeFile(path: string): void;

/** Removes an empty folder. */
export function removeFolder(path: string): void;

/** Gives a file or folder another name. */
export function rename(from: string, to: string): void;
