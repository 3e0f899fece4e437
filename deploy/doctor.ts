import type { LoadedConfig } from '../proto/process/config.ts';
import type { Storage } from '../control-plane/storage/storage.ts';
import type { z } from 'zod';
import { Fault } from '../proto/faults/fault.ts';
import type { controlPlaneProcessSchema } from './processes.ts';

/** What the checks look at of either process. */
export type DoctorConfig = Pick<z.output<typeof controlPlaneProcessSchema>, 'dataDir' | 'database' | 'blobs'>;

/** What is examined; a check puts in what the later ones need. */
export interface Subject {
  readonly process: 'control-plane' | 'bridge';
  load(): Pick<LoadedConfig<DoctorConfig>, 'config' | 'sources'>;
  config?: DoctorConfig;
  storage?: Storage;
  /** True when the schema is the one of this version. */
  isCurrent?: boolean;
}

/** One line of the result. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** One question. Add yours to the table in doctor-checks.ts. */
export interface Check {
  readonly name: string;
  /** What must have been put in before; without it the check is skipped. */
  readonly needs: readonly ('config' | 'storage' | 'isCurrent')[];
  examine(subject: Subject): Promise<Finding>;
}

/** A finding with the name of its check. */
export type NamedFinding = Finding & { readonly check: string };

/** Asks every question in order; what throws is a finding as well. Nothing is made or changed. */
export async function examine(subject: Subject, checks: readonly Check[]): Promise<readonly NamedFinding[]> {
  const findings: NamedFinding[] = [];
  try {
    for (const check of checks) findings.push({ check: check.name, ...(await answer(check, subject)) });
  } finally {
    await subject.storage?.close();
  }
  return findings;
}

async function answer(check: Check, subject: Subject): Promise<Finding> {
  const isPossible = check.needs.every((need) => subject[need] !== undefined && subject[need] !== false);
  if (!isPossible) return { status: 'skipped', found: 'needs what failed above' };
  try {
    return await check.examine(subject);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const details = error.details.map(({ path, message }) => `${path}: ${message}`).join('; ');
    const why = error.internal === undefined ? '' : ` (${error.internal})`;
    return {
      status: 'failed',
      found: `${details === '' ? error.detail : details}${why} [${error.code}]`,
      remedy: error.hint,
    };
  }
}
