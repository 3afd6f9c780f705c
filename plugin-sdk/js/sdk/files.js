// The files of granted folders, by paths that are relative to the pipeline's folder.

import { getDirectories } from 'wasi:filesystem/preopens@0.2.0';
import { Failure } from './failure.js';

/** What the host said of a file or folder. */
export class FileError extends Failure {
  constructor(doing, path, code) {
    super(`cannot ${doing} ${path}: ${words[code] ?? code}`);
    this.name = 'FileError';
    this.path = path;
    this.code = code;
  }
}

const words = {
  'access': 'access is denied',
  'exist': 'it is there already',
  'is-directory': 'it is a folder',
  'not-granted': 'it is in no folder that is granted in `files`',
  'no-entry': 'there is no such file or folder',
  'not-directory': 'it is no folder',
  'not-empty': 'the folder is not empty',
  'not-permitted': 'that is not permitted',
  'read-only': 'the folder is granted for reading only',
};

/** Bytes of one read or write: what crosses to the host at once is bounded. */
const PART = 1 << 20;
const follow = { symlinkFollow: true };

/** The parts of a path, without what leads nowhere. */
function parts(path) {
  const found = [];
  for (const part of String(path).split('/')) {
    if (part === '..' && found.length > 0 && found.at(-1) !== '..') found.pop();
    else if (part !== '' && part !== '.') found.push(part);
  }
  return found;
}

/** The granted folder that a path is beneath, the closest one, and the way from there. */
function resolve(doing, path) {
  const wanted = parts(path);
  let best;
  for (const [folder, name] of getDirectories()) {
    const granted = parts(name);
    const covers = granted.every((part, at) => part === wanted[at]);
    // A folder that may be written to comes after the same one to be read.
    if (covers && granted.length >= (best?.depth ?? 0)) best = { folder, depth: granted.length };
  }
  if (best === undefined) throw new FileError(doing, path, 'not-granted');
  return { folder: best.folder, path: wanted.slice(best.depth).join('/') || '.' };
}

function attempt(doing, path, act) {
  try {
    return act();
  } catch (error) {
    if (error instanceof Failure || typeof error?.payload !== 'string') throw error;
    throw new FileError(doing, path, error.payload);
  }
}

function open(doing, path, openFlags, flags) {
  const at = resolve(doing, path);
  return at.folder.openAt(follow, at.path, openFlags, flags);
}

/** A file's bytes; with `'utf8'` its text. */
export function readFile(path, encoding) {
  return attempt('read', path, () => {
    const file = open('read', path, {}, { read: true });
    const read = [];
    let size = 0;
    for (let ended = false; !ended; ) {
      const [bytes, end] = file.read(BigInt(PART), BigInt(size));
      read.push(bytes);
      size += bytes.length;
      ended = end || bytes.length === 0;
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const bytes of read) {
      whole.set(bytes, at);
      at += bytes.length;
    }
    return encoding === undefined ? whole : new TextDecoder(encoding).decode(whole);
  });
}

/** Writes a file anew, from bytes or text. */
export function writeFile(path, content) {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  attempt('write', path, () => {
    const file = open('write', path, { create: true, truncate: true }, { write: true });
    for (let at = 0; at < bytes.length; ) {
      at += Number(file.write(bytes.subarray(at, at + PART), BigInt(at)));
    }
  });
}

/** The names in a folder, in their order. */
export function readFolder(path) {
  return attempt('list', path, () => {
    const entries = open('list', path, { directory: true }, { read: true }).readDirectory();
    const names = [];
    for (let entry = entries.readDirectoryEntry(); entry !== undefined; entry = entries.readDirectoryEntry()) {
      names.push(entry.name);
    }
    return names.sort();
  });
}

/** What a path leads to: `'file'`, `'folder'`, `'other'`, or nothing at all. */
export function kindOf(path) {
  try {
    const type = attempt('look at', path, () => open('look at', path, {}, { read: true }).getType());
    return { 'directory': 'folder', 'regular-file': 'file' }[type] ?? 'other';
  } catch (error) {
    if (error instanceof FileError && (error.code === 'no-entry' || error.code === 'not-directory')) return undefined;
    throw error;
  }
}

/** Makes a folder, with those above it. One that is there is fine. */
export function makeFolder(path) {
  const { folder, path: way } = resolve('make', path);
  const all = parts(way);
  all.forEach((_, last) => {
    try {
      attempt('make', path, () => folder.createDirectoryAt(all.slice(0, last + 1).join('/')));
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== 'exist') throw error;
    }
  });
}

/** Removes a file. */
export function removeFile(path) {
  attempt('remove', path, () => {
    const at = resolve('remove', path);
    at.folder.unlinkFileAt(at.path);
  });
}

/** Removes an empty folder. */
export function removeFolder(path) {
  attempt('remove', path, () => {
    const at = resolve('remove', path);
    at.folder.removeDirectoryAt(at.path);
  });
}

/** Gives a file or folder another name. */
export function rename(from, to) {
  attempt('rename', from, () => {
    const [old, made] = [resolve('rename', from), resolve('rename', to)];
    old.folder.renameAt(old.path, made.folder, made.path);
  });
}
