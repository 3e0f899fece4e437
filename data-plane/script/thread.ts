/**
 * A thread that runs scripts, one after another. It holds nothing of the gateway: what it knows of a request is in the message that asks it.
 */
import { constants, getPriority, platform, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { Machine, type RunLimits, type RunReply } from './machine.ts';
import type { ScriptRun } from './script.ts';

closeBuiltIns();

/** The gateway's own thread gets its turn soon where scripts would keep the cores busy. Elsewhere than on Linux a priority is the whole process's. */
const nicerBy = 5;
if (platform() === 'linux') setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + nicerBy));

/** What a thread is asked: a run, which may be without a core for so long. */
export interface ToThread {
  readonly job: ScriptRun;
  readonly waitMs: number;
}

/** What a thread says: that it is ready, or what a run came to; and how long it has had a core by then. */
export interface FromThread {
  readonly told: { readonly kind: 'ready' } | RunReply;
  readonly cpu: NodeJS.CpuUsage;
}

const port = parentPort;
const say = (told: FromThread['told']): void =>
  port?.postMessage({ told, cpu: process.threadCpuUsage() } satisfies FromThread);
const limits = workerData as RunLimits;
let machine = await Machine.create(limits);

/** What breaks the engine (a stack of WebAssembly that is full) is the end of that machine alone. */
async function run({ job, waitMs }: ToThread): Promise<void> {
  try {
    say(machine.run(job, waitMs));
    machine.prepare();
  } catch (error) {
    machine = await Machine.create(limits);
    say({ kind: 'failed', why: error instanceof Error ? error.message : 'it broke the engine' });
  }
}

// What rejects here ends the thread, and another takes its place.
port?.on('message', (asked: ToThread) => void run(asked));
say({ kind: 'ready' });
