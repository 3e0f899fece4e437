import type { Log } from '../../proto/process/log.ts';
import type { Queries } from '../storage/storage.ts';
import type { Facts } from './letters.ts';
import type { Template } from './templates.ts';
import { findInForce } from './templates.store.ts';
import { attempt, write, type Written } from './written.ts';

/** By the words of the organization where it has some; where those fail, by ours: somebody waits for it. */
export async function writeInForce(
  { db, log }: { readonly db: Queries; readonly log: Log },
  {
    organization,
    template,
    facts,
    nowMs,
  }: {
    readonly organization: string;
    readonly template: Template;
    readonly facts: Facts;
    readonly nowMs: number;
  },
): Promise<Written> {
  const own = await findInForce(db, organization, template);
  if (own !== undefined) {
    const made = attempt({ ...template, title: own.title, content: own.content }, facts, nowMs);
    if (made.kind === 'value') return made.value;
    log.warn(
      { organization, template: own.id, part: made.part, why: made.why },
      'a template of an organization fails; what is said has the words of ours',
    );
  }
  return write(template, facts, nowMs);
}
