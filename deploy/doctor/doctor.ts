import { Fault } from '../../proto/faults/fault.ts';
import { createRedactor } from '../../proto/model/redaction.ts';
import { type Clock, systemClock } from '../../proto/process/clock.ts';
import { systemWords } from '../../proto/process/system-words.ts';

/** One line of the result. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** One question about a subject. Add yours to the list of its process. */
export interface Check<Subject> {
  readonly name: string;
  /** What earlier checks must have put in; without it this one is skipped. */
  readonly needs: readonly (keyof Subject)[];
  /** False for a subject that has no such thing; then there is no line of it. Default: every subject. */
  concerns?(subject: Subject): boolean;
  examine(subject: Subject): Promise<Finding>;
}

/** What is examined; a check puts in what the later ones need. */
export interface Examined {
  /** Gives back what checks opened. */
  close?: (() => Promise<void>) | undefined;
}

/** A finding with the name of its check. */
export type NamedFinding = Finding & { readonly check: string };

/** How long one question may wait for its answer: a store that takes connections and says nothing would keep us for ever. */
const checkMsMax = 15_000;
/** After this, whoever waits is told for what. */
const quietMsMax = 1_000;
/** What is left open when this is over goes with the process. */
const closeMsMax = 2_000;

/** How an examination waits. */
export interface Patience {
  readonly clock: Clock;
  /** Hears what is being checked when the answer takes its time, as a sentence. */
  readonly onWait: (words: string) => void;
}

const silent: Patience = { clock: systemClock, onWait: () => undefined };

/** Asks every question in order; what throws is a finding as well, and what does not answer in time. Nothing is made or changed. */
export async function examine<Subject extends Examined>(
  subject: Subject,
  checks: readonly Check<Subject>[],
  patience: Patience = silent,
): Promise<readonly NamedFinding[]> {
  const findings: NamedFinding[] = [];
  try {
    for (const check of checks)
      if (check.concerns?.(subject) !== false)
        findings.push({
          check: check.name,
          ...masked(await within(patience, check, () => answer(check, subject, findings))),
        });
  } finally {
    const closed = subject.close?.().catch(() => undefined);
    await before(patience.clock, closeMsMax, closed ?? Promise.resolve());
  }
  return findings;
}

const { text: maskText } = createRedactor();

/** What a finding quotes (addresses, what somebody answered) may hold what nobody should read. */
function masked({ status, found, remedy }: Finding): Finding {
  return { status, found: maskText(found), ...(remedy !== undefined && { remedy: maskText(remedy) }) };
}

async function within(
  { clock, onWait }: Patience,
  { name }: { readonly name: string },
  ask: () => Promise<Finding>,
): Promise<Finding> {
  const cancel = clock.after(quietMsMax, () =>
    onWait(`checking ${name}: no answer yet, at most ${checkMsMax / 1_000} s`),
  );
  try {
    const finding = await before(clock, checkMsMax, ask());
    return (
      finding ?? {
        status: 'failed',
        found: `no answer within ${checkMsMax / 1_000} s`,
        remedy: 'What it asks takes connections and says nothing: look at it, and at firewalls in between.',
      }
    );
  } finally {
    cancel();
  }
}

/** Undefined when it takes longer; what comes of it then is nobody's. */
async function before<T>(clock: Clock, msMax: number, work: Promise<T>): Promise<T | undefined> {
  const stop = new AbortController();
  work.catch(() => undefined);
  try {
    return await Promise.race([work, clock.delay(msMax, stop.signal).then(() => undefined)]);
  } finally {
    stop.abort();
  }
}

/** A file or a folder that cannot be looked at says nothing of the other checks. */
const isOfSystem = (error: unknown): error is Error =>
  !(error instanceof Fault) && error instanceof Error && 'syscall' in error;
const pathOf = (error: Error): string =>
  'path' in error && typeof error.path === 'string' ? `${error.path} ` : '';

async function answer<Subject>(
  check: Check<Subject>,
  subject: Subject,
  before: readonly Finding[],
): Promise<Finding> {
  const isPossible = check.needs.every((need) => subject[need] !== undefined && subject[need] !== false);
  if (!isPossible) {
    const hasFailed = before.some(({ status }) => status === 'failed');
    return { status: 'skipped', found: `needs what ${hasFailed ? 'failed' : 'is not there yet'} above` };
  }
  try {
    return await check.examine(subject);
  } catch (error) {
    if (isOfSystem(error))
      return {
        status: 'failed',
        found: `${pathOf(error)}${systemWords(error)}`,
        remedy: 'Check the path for a slip, and run this as the user that the process runs as.',
      };
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
