// The environment variables of the step.

import { getEnvironment } from 'wasi:cli/environment@0.2.0';

/** The variables by their names: those of `env` in `pipeline.toml`, and no others. */
export function environment() {
  return Object.fromEntries(getEnvironment());
}
