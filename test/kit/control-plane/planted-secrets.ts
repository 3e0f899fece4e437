import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bridgeGrants } from '../../../control-plane/storage/grants.ts';
import type { Storage } from '../../../control-plane/storage/storage.ts';
import { allSecretFields, type SecretField, secretFields } from '../../../proto/model/secrets/fields.ts';

/** Stands in every secret that a test plants, and nowhere else. */
export const planted = 'PLANTED';

/** What makes a secret of a field that is one only beside others; a field whose rule none of them meets fails the test that plants it. */
const beside: Readonly<Record<string, unknown>> = { signature: 'HMAC_HS256' };

/** A secret in a configuration that has nothing else in it, so that only what is off may hold it. */
function configurationWith({ name, path, isSecretBeside }: SecretField, text: string): object {
  assert.ok(isSecretBeside?.(beside) ?? true, `the kit knows what makes ${name} a secret`);
  const wrap = (inside: unknown, key: string): unknown =>
    key === '[]' ? [inside] : { [key === '*' ? 'any' : key]: inside };
  const [last = '', ...before] = path.toReversed();
  const innermost = wrap(text, last) as object;
  return before.reduce<unknown>(
    wrap,
    isSecretBeside === undefined ? innermost : { ...beside, ...innermost },
  ) as object;
}

/** An API with a secret in every field that can hold one, as its author writes it, and what was planted. */
export function withEverySecret(): {
  readonly definition: Record<string, unknown>;
  readonly secrets: readonly string[];
} {
  const secrets: string[] = [];
  const plant = (): string => {
    secrets.push(`${planted}-${secrets.length}-x`);
    return secrets.at(-1) ?? '';
  };
  const merged = secretFields.endpoints
    .map((field) => configurationWith(field, plant()))
    .reduce(deepMerge, {});
  const own = secretFields.endpoints.map((field) => configurationWith(field, plant())).reduce(deepMerge, {});
  const steps = [...secretFields.policies].flatMap(([policy, fields]) =>
    fields.map((field, index) => ({
      name: `${policy} ${index}`,
      policy,
      enabled: false,
      configuration: configurationWith(field, plant()),
    })),
  );
  const resources = [...secretFields.resources].flatMap(([type, fields]) =>
    fields.map((field, index) => ({
      name: `${type}-${index}`,
      type,
      enabled: false,
      configuration: configurationWith(field, plant()),
    })),
  );
  const discoveries = [...secretFields.discoveries]
    .filter(([, fields]) => fields.length > 0)
    .map(([type, fields]) => ({
      type,
      enabled: false,
      configuration: fields.map((field) => configurationWith(field, plant())).reduce(deepMerge, {}),
    }));
  assert.equal(secrets.length, allSecretFields(secretFields).length + secretFields.endpoints.length);
  const properties = [
    { key: 'token', value: plant(), encrypted: true },
    { key: 'later', value: plant(), encryptable: true },
    { key: 'region', value: 'coast' },
  ];
  return {
    definition: {
      steps,
      resources,
      properties,
      sharedConfiguration: merged,
      sharedConfigurationOverride: own,
      discoveries,
    },
    secrets,
  };
}

function deepMerge(one: object, other: object): object {
  const both = new Map<string, unknown>(Object.entries(one));
  for (const [key, value] of Object.entries(other)) {
    const known = both.get(key);
    both.set(key, isObject(known) && isObject(value) ? deepMerge(known, value) : value);
  }
  return Object.fromEntries(both);
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names of the tables in which a planted secret lies open, or another text. */
export async function tablesWithSecrets({ db }: Storage, text = planted): Promise<readonly string[]> {
  const found: string[] = [];
  for (const table of Object.keys(bridgeGrants) as (keyof typeof bridgeGrants)[]) {
    const rows = (await db.selectFrom(table).selectAll().execute()) as readonly object[];
    const isOpen = rows.some((row) =>
      Object.values(row).some((value: unknown) =>
        value instanceof Uint8Array
          ? Buffer.from(value).includes(text)
          : typeof value === 'string' && value.includes(text),
      ),
    );
    if (isOpen) found.push(table);
  }
  return found;
}

/** Files below a folder in which a planted secret lies open. */
export function filesWithSecrets(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(planted));
}
