import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { catalog } from '../../proto/policies/catalog.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';
import {
  type ExampleAnswer,
  exampleBackend,
  type PolicyExample,
} from '../../proto/policies/reference/example.ts';
import { geoDatabase } from './servers/geo-database.ts';

/** A policy with the example of its page. */
export interface ShownPolicy {
  readonly policy: PolicySchema;
  readonly example: PolicyExample;
}

/** Every policy that has an example. */
export function policyExamples(): readonly ShownPolicy[] {
  return Object.values<PolicySchema>(catalog).flatMap((policy) =>
    policy.example === undefined ? [] : [{ policy, example: policy.example() }],
  );
}

/** Settings of examples, which one gateway has; two that differ in one do not fit. dir: where files are made that they name. */
export function settingsOf(examples: readonly ShownPolicy[], dir: string): Record<string, unknown> {
  const merge = (to: Record<string, unknown>, from: object, at: string): void => {
    for (const [name, value] of Object.entries(from) as [string, unknown][]) {
      const there = to[name];
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        merge((to[name] = { ...(there as object) }) as Record<string, unknown>, value, `${at}.${name}`);
      } else {
        if (there !== undefined) assert.deepEqual(there, value, `the setting ${at}.${name} of two examples`);
        to[name] = value;
      }
    }
  };
  const settings: Record<string, unknown> = {};
  for (const { policy, example } of examples) merge(settings, example.settings ?? {}, policy.id);
  const databaseFile = join(dir, 'GeoLite2-City.mmdb');
  const [france, spain] = ['FR', 'ES'].map((code) => ({ country: { iso_code: code } }));
  writeFileSync(databaseFile, geoDatabase({ '192.0.2.0/24': france ?? {}, '198.51.100.0/24': spain ?? {} }));
  const text = JSON.stringify(settings).replaceAll('/var/lib/GeoIP/GeoLite2-City.mmdb', databaseFile);
  return JSON.parse(text) as Record<string, unknown>;
}

/** `isthmus.yaml` of examples. */
export function folderOf(examples: readonly ShownPolicy[]): object {
  const all: Record<string, unknown[]> = {};
  for (const { example } of examples)
    for (const [section, entries] of Object.entries(example.folder ?? {}))
      all[section] = [...(all[section] ?? []), ...(entries as unknown[])];
  return all;
}

/** With where the backend is, wherever it stands. */
export const withBackend = (value: object, url: string): object =>
  JSON.parse(JSON.stringify(value).replaceAll(exampleBackend, url)) as object;

/** What the backend of an example answers, asked for one path with its query after another. */
export function backendOf({
  backend = {},
}: Pick<PolicyExample, 'backend'>): (
  target: string,
) => Required<Pick<ExampleAnswer, 'status' | 'body'>> & { readonly headers: Record<string, string> } {
  const asked = new Map<string, number>();
  return (target) => {
    const [path = ''] = target.split('?');
    const written = Object.hasOwn(backend, path) ? (backend[path] ?? {}) : {};
    const said: readonly ExampleAnswer[] = Array.isArray(written) ? written : [written as ExampleAnswer];
    const turn = asked.get(path) ?? 0;
    asked.set(path, turn + 1);
    const { status = 200, headers = {}, body = 'hello' } = said[Math.min(turn, said.length - 1)] ?? {};
    return { status, headers: { 'Content-Type': 'text/plain', ...withoutNull(headers) }, body };
  };
}

const withoutNull = (headers: NonNullable<ExampleAnswer['headers']>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
