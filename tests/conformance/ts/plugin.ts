// The conformance suite's plugin, built as TypeScript. What it does stands in JavaScript's, which lies beside it when it is
// built: once the types are gone, the two languages are one.

import made from './plugin.js';

/** What the contract wants of a plugin. */
interface Step {
  describe(): unknown;
  run(input: unknown): Promise<unknown>;
}

export default made as Step;
