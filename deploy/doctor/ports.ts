import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { type ListenAddress, type ListenWish, originOf, tryAddress } from '../../proto/process/listen.ts';
import type { Finding } from './doctor.ts';

/** Where a process listens, as its settings say. */
export interface PortsConfig {
  /** What the process holds while it runs; undefined for one that holds nothing. */
  readonly heldDir?: string | undefined;
  /** A shipper has none, a gateway may have several; with the setting of each. */
  readonly listen?: readonly ListenWish[];
  readonly admin: ListenAddress;
}

/** A node API of this machine answers at once, or is none. */
const askMsMax = 2_000;
const NodeHealth = z.object({ process: z.string() });

/**
 * Whether the ports are free, or taken by the very process that is examined: its node API says who it is. A process that runs has them;
 * whatever else has them would end its start.
 */
export async function examinePorts(
  process: string,
  { listen = [], admin, heldDir }: PortsConfig,
): Promise<Finding> {
  const wishes: readonly ListenWish[] = [...listen, { ...admin, setting: 'admin' }];
  const tried = await Promise.all(wishes.map(tryPort));
  const refused = tried.find((fault) => fault !== undefined && fault.code !== 'process.port_taken');
  if (refused !== undefined) return ofRefused(refused);
  const taken = wishes.filter((_, index) => tried[index] !== undefined);
  if (taken.length === 0) return { status: 'ok', found: `free: ${described(wishes)}` };
  const holder = taken.some(({ setting }) => setting === 'admin')
    ? await processAt(originOf('http', admin))
    : undefined;
  if (holder === process && heldDir !== undefined && isSurelyFree(heldDir, process))
    return {
      status: 'failed',
      found: `in use by a ${process} of another folder than ${resolve(heldDir)}: ${described(taken)}`,
      remedy: `Check dataDir for a slip (--data-dir, the file of --config): it is not the one that the ${process} that runs was started with. For a second ${process} on this machine, set ports of its own: ${settingsOf(taken)}.`,
    };
  if (holder === process)
    return { status: 'ok', found: `in use by the ${process} that runs: ${described(taken)}` };
  const by = holder === undefined ? 'somebody else' : `a ${holder}`;
  return {
    status: 'failed',
    found: `in use by ${by}: ${described(taken)}`,
    remedy: `End what listens there (ss -ltnp shows it), or set another port. No ${process} says at admin that it runs.`,
  };
}

/** Nobody of that kind runs on the folder: who does holds a file in it. False where that cannot be seen. */
function isSurelyFree(dir: string, process: string): boolean {
  try {
    return statSync(foldersOf(dir).lockOf(process), { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** The service may well have a permission that whoever asks has not. */
function ofRefused({ detail, hint, cause }: Fault): Finding {
  const isForbidden = cause instanceof Error && 'code' in cause && cause.code === 'EACCES';
  return { status: isForbidden ? 'warning' : 'failed', found: detail, remedy: hint };
}

async function tryPort(wish: ListenWish): Promise<Fault | undefined> {
  if (wish.port === 0) return undefined;
  try {
    await tryAddress(wish);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/** The process whose node API answers at an origin; undefined when it is none of ours. */
export async function processAt(origin: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${origin}/health`, {
      signal: AbortSignal.timeout(askMsMax),
    });
    return NodeHealth.parse(await answer.json()).process;
  } catch {
    return undefined;
  }
}

const settingsOf = (wishes: readonly ListenWish[]): string =>
  wishes.map(({ setting }) => `${setting}.port`).join(', ');

const described = (wishes: readonly ListenWish[]): string =>
  wishes.map(({ setting, host, port }) => `${setting}.port ${port} on ${host}`).join(', ');
