import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { upstreamNames, type FuzzCase } from './cases.ts';
import type { Finding } from './judge-requests.ts';

// One char per byte, as JSON: a reader sees the message, and no byte is lost.
const bytes = z.string().transform((text) => Buffer.from(text, 'latin1'));
const base = {
  seed: z.number(),
  number: z.number(),
  input: bytes,
  cuts: z.array(z.number()),
  mutations: z.array(z.string()),
};
const caseSchema = z.discriminatedUnion('kind', [
  z.object({
    ...base,
    kind: z.literal('request'),
    ending: z.enum(['wait', 'half-close', 'reset']),
    upstream: z.enum(upstreamNames),
  }),
  z.object({
    ...base,
    kind: z.literal('response'),
    method: z.enum(['GET', 'HEAD', 'POST']),
    version: z.enum(['1.0', '1.1']),
    ending: z.enum(['keep', 'fin', 'reset']),
  }),
]);
const fileSchema = z.object({ rule: z.string(), detail: z.string(), cases: z.array(caseSchema).min(1) });

/** Writes what is needed to see a finding again, and returns the file's path. */
export function writeReproduction(folder: string, finding: Finding, cases: readonly FuzzCase[]): string {
  mkdirSync(folder, { recursive: true });
  const [first] = cases;
  const path = join(folder, `fuzz-${first?.kind ?? 'batch'}-${first?.seed ?? 0}-${first?.number ?? 0}.json`);
  const plain = cases.map((fuzzCase) => ({ ...fuzzCase, input: fuzzCase.input.toString('latin1') }));
  writeFileSync(path, `${JSON.stringify({ ...finding, cases: plain }, undefined, 2)}\n`);
  return path;
}

/** Reads what {@link writeReproduction} wrote; throws with the path of what does not fit. */
export function readReproduction(path: string): readonly FuzzCase[] {
  return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).cases;
}
