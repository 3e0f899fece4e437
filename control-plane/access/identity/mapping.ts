import { z } from 'zod';
import { type Condition, compileCondition } from '../../../proto/expression/condition.ts';
import { hasExpression } from '../../../proto/expression/find.ts';
import { type ExpressionScope, noCall } from '../../../proto/expression/scope.ts';
import { compileTemplate, compileText, type Template } from '../../../proto/expression/template.ts';

/*
 * What is made of a profile: who somebody is, and what he holds. A profile is the JSON text of what the provider says, behind #profile; an
 * expression of a mapping reads that and nothing else.
 */

/** Names that a mapping's expressions may read. */
const places = ['profile'];
const textCharsMax = 4_096;

/** Says why a text is no condition of a mapping; undefined when it is one. */
export function refusedCondition(text: string): string | undefined {
  const compiled = compileCondition(text, places);
  if ('message' in compiled) return compiled.message;
  return text.trim() === '' ? 'must say when it holds; true always does' : readsMore(text);
}

/** Says why a text leads to no value of a profile; undefined when it does: the name of a claim, a path such as `address.country`, or an expression. */
export function refusedClaim(text: string): string | undefined {
  if (!hasExpression(text)) {
    const isPath = /^[\w:/.@-]{1,256}$/.test(text);
    return isPath ? undefined : 'must be the name of a claim, or an expression of #profile';
  }
  const compiled = compileTemplate(text, z.string(), { places: new Set(places) });
  return compiled.kind === 'refused' ? compiled.messages.join('; ') : readsMore(text);
}

function readsMore(text: string): string | undefined {
  const compiled = compileText(text, { places: new Set(places) });
  if (compiled.kind !== 'varying') return undefined;
  const others = [...compiled.reads.roots].filter((root) => !places.includes(root));
  return others.length === 0 ? undefined : `reads #${others.join(', #')}; here there is #profile alone`;
}

/** Somebody's profile, read by the expressions of a mapping. */
export interface Profile {
  /** Whether a condition holds; one that fails does not. */
  holds(condition: string): boolean;
  /** The text of a claim; undefined where there is none, or it is no text, number or boolean. */
  claim(mapping: string): string | undefined;
}

/** Reads one. An address that the provider has not seen the mail of is nobody's: it is left out. */
export function profileOf(claims: Readonly<Record<string, unknown>>): Profile {
  const { email: _unseen, ...others } = claims;
  const known = [false, 'false'].some((no) => claims['email_verified'] === no) ? others : claims;
  const scope = scopeOf(JSON.stringify(known));
  return {
    holds(text) {
      const condition = compileCondition(text, places) as Condition;
      return condition.always ?? condition.judge(scope) === true;
    },
    claim(mapping) {
      if (!hasExpression(mapping)) return textOf(valueAt(known, mapping));
      const compiled = compileTemplate(mapping, z.string(), { places: new Set(places) }) as Template<string>;
      const rendered = compiled.render(scope);
      return rendered.kind === 'value' ? textOf(rendered.value) : undefined;
    },
  };
}

/** A claim whose whole name it is, as `https://example.com/team`, or what a path leads to. */
function valueAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  const whole = new Map(Object.entries(claims)).get(path);
  if (whole !== undefined) return whole;
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map<string, unknown>(Object.entries(value)).get(name);
  }
  return value;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return undefined;
  const text = value
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim();
  return text === '' || text.length > textCharsMax ? undefined : text;
}

/** There is no request; what its expressions do is paid from one budget. */
function scopeOf(profile: string): ExpressionScope {
  return {
    ...noCall,
    surroundings: {
      api: { id: '', name: '', version: '', properties: new Map() },
      endpoints: new Map(),
      dictionaries: new Map(),
      node: { id: '', version: '', tenant: undefined, zone: undefined, shardingTags: [] },
      secrets: { get: () => ({ why: 'there are no secrets here' }) },
    },
    variables: new Map([['profile', profile]]),
  };
}
