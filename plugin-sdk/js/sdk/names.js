// Names of the contract in JavaScript's way.

const known = new Map();

/** `image-id` as `imageId`. */
export function camel(name) {
  let found = known.get(name);
  if (found === undefined) {
    found = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    known.set(name, found);
  }
  return found;
}
