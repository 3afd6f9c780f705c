#!/usr/bin/env node
// Builds a plugin: esbuild bundles it, in JavaScript or TypeScript, and componentize-js makes a component of it.
//
//     node windlass/build.mjs [SOURCE] --output FILE

import { mkdir, mkdtemp, readFile, readdir, rm, writeFile, cp, access } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const sdk = dirname(fileURLToPath(import.meta.url));
/** Where a plugin begins, if nobody says. */
const sources = ['src/plugin.ts', 'src/plugin.js', 'plugin.ts', 'plugin.js'];

class Problem extends Error {}

async function main() {
  const { values, positionals } = parseArgs({
    options: { output: { type: 'string', short: 'o' }, wit: { type: 'string' } },
    allowPositionals: true,
  });
  if (positionals.length > 1) throw new Problem(`one source, please, which imports the others: ${positionals.join(' ')}`);
  const source = positionals[0] ?? (await firstOf(sources));
  if (!source) throw new Problem(`there is none of ${sources.join(', ')}: name the source`);
  const wit = resolve(values.wit ?? join(sdk, 'wit'));
  const { name, version } = await manifest();
  const output = values.output ?? `${name}.wasm`;
  const aside = await mkdtemp(join(tmpdir(), 'windlass-plugin-'));
  try {
    const { script, interfaces } = await bundle(source, { name, version });
    const component = await componentized(script, await world(wit, interfaces, aside), aside);
    await mkdir(dirname(resolve(output)), { recursive: true });
    await writeFile(output, component);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function firstOf(paths) {
  for (const path of paths) {
    if (await access(path).then(() => true, () => false)) return path;
  }
  return undefined;
}

/** The plugin has the name and the version of the package, unless it says them itself. */
async function manifest() {
  const text = await readFile('package.json', 'utf8').catch(() => '{}');
  const { name = 'plugin', version = '0.0.0' } = JSON.parse(text);
  return { name: name.split('/').pop(), version };
}

/** A tool of the project, or what to do about its absence. */
async function tool(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes(`'${name}'`)) throw error;
    throw new Problem(`${name} is not installed here: run \`npm install\``);
  }
}

/** What the plugin's module is called from. The error is seen while it is built, when the module is run for the first time. */
function entry(source) {
  const module = JSON.stringify(`./${source.replace(/^\.\//, '')}`);
  const told = JSON.stringify(`${source} exports no plugin: write \`export default plugin({ ... })\``);
  return `import * as all from ${module};
if (typeof all.default?.describe !== 'function') throw new TypeError(${told});
export const step = all.default;
`;
}

/** One script of the plugin and all that it imports, and the interfaces of the host that are left to import. */
async function bundle(source, { name, version }) {
  const esbuild = await tool('esbuild');
  const built = await esbuild.build({
    stdin: {
      contents: entry(source),
      resolveDir: process.cwd(),
      sourcefile: 'windlass.js',
    },
    bundle: true,
    write: false,
    outfile: 'plugin.js',
    format: 'esm',
    platform: 'neutral',
    mainFields: ['browser', 'module', 'main'],
    conditions: ['browser', 'import'],
    target: 'es2022',
    metafile: true,
    define: { WINDLASS_PACKAGE: JSON.stringify({ name, version }), 'process.env.NODE_ENV': '"production"' },
    alias: { 'windlass-plugin': sdk },
    plugins: [hostInterfaces],
    logLevel: 'warning',
  }).catch((error) => {
    // esbuild has printed what is wrong, and where.
    throw error.errors ? new Problem(`${source} cannot be bundled`) : error;
  });
  const [output] = Object.values(built.metafile.outputs);
  const interfaces = output.imports.filter((one) => one.external).map((one) => one.path);
  const foreign = interfaces.filter((path) => !/^(windlass|wasi):/.test(path));
  if (foreign.length > 0) {
    throw new Problem(`a plugin has no Node.js beneath it, and cannot import ${[...new Set(foreign)].join(', ')}`);
  }
  return { script: built.outputFiles[0].text, interfaces: new Set(interfaces) };
}

/** Leaves the host's interfaces to the component. One that nothing uses is no import. */
const hostInterfaces = {
  name: 'host-interfaces',
  setup(build) {
    build.onResolve({ filter: /^(windlass|wasi):/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true }));
  },
};

/** The contract with a world of only what the plugin uses, so that any host that serves this much can run it. */
async function world(wit, interfaces, aside) {
  const folder = join(aside, 'wit');
  await mkdir(folder);
  await cp(join(wit, 'deps'), join(folder, 'deps'), { recursive: true });
  const files = (await readdir(wit)).filter((file) => file.endsWith('.wit'));
  const wasi = [...interfaces].filter((one) => one.startsWith('wasi:'));
  if (wasi.length > 0) await cp(join(sdk, 'wasi'), join(folder, 'deps'), { recursive: true });
  for (const file of files) {
    const lines = (await readFile(join(wit, file), 'utf8')).split('\n');
    const kept = lines.flatMap((line) => {
      const [, imported] = /^\s*import\s+(\S+);/.exec(line) ?? [];
      if (imported !== undefined) return interfaces.has(imported) ? [line] : [];
      // Files and variables come from WASI itself.
      return /^world\b/.test(line) ? [line, ...wasi.map((one) => `    import ${one};`)] : [line];
    });
    await writeFile(join(folder, file), kept.join('\n'));
  }
  return folder;
}

async function componentized(script, witPath, aside) {
  const { componentize } = await tool('@bytecodealliance/componentize-js');
  const sourcePath = join(aside, 'plugin.js');
  await writeFile(sourcePath, script);
  try {
    // HTTP goes through the gate, and a plugin serves none.
    const { component } = await componentize({
      sourcePath,
      witPath,
      worldName: 'plugin',
      disableFeatures: ['http', 'fetch-event'],
    });
    return component;
  } catch (error) {
    const said = String(error.message ?? error).replace(/^Failed to initialize component .*\n/, '');
    throw new Problem(`the plugin fails while it is loaded: ${said.trim()}`);
  }
}

main().catch((error) => {
  console.error(error instanceof Problem ? error.message : error);
  process.exitCode = 1;
});
