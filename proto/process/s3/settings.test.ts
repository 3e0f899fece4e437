import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';

import { Fault } from '../../faults/fault.ts';
import { loadConfig } from '../config.ts';
import { createS3Client } from './client.ts';
import { checkCredentials, s3Shape, type S3Settings } from './settings.ts';

const schema = z.strictObject({ s3: z.strictObject(s3Shape).superRefine(checkCredentials) });
const load = (settings: Readonly<Record<string, string>>): S3Settings => {
  const flags = Object.entries({ bucket: 'isthmus', ...settings }).map(([key, value]) => [
    `s3.${key}`,
    value,
  ]);
  return loadConfig(schema, { process: 'shipper', flags: Object.fromEntries(flags) }).config.s3;
};
const refusal = (settings: Readonly<Record<string, string>>): string => {
  try {
    load(settings);
  } catch (error) {
    assert.ok(error instanceof Fault);
    return error.details.map(({ path, message }) => `${path}: ${message}`).join('\n');
  }
  return 'taken';
};

test('half of a credential is refused by the name of the other half, never taken for none', () => {
  assert.match(
    refusal({ accessKeyId: 'a' }),
    /^s3\.secretAccessKey: must be set beside accessKeyId; leave both/,
  );
  assert.match(refusal({ secretAccessKey: 'b' }), /^s3\.accessKeyId: must be set beside secretAccessKey/);
  assert.equal(refusal({ accessKeyId: 'a', secretAccessKey: 'b' }), 'taken');
  assert.equal(refusal({}), 'taken');
});

test('a former name is refused with the new one', () => {
  assert.match(
    refusal({ pathStyle: 'true' }),
    /^s3\.pathStyle: is called forcePathStyle now; got "true" \(--set s3/,
  );
  assert.match(refusal({ checksum: 'WHEN_REQUIRED' }), /^s3\.checksum: is called checksums now/);
  assert.match(refusal({ ifNoneMatch: 'never' }), /^s3\.ifNoneMatch: is called conditionalPut now/);
});

test('the client is what the settings say', async (t) => {
  const settings = load({
    accessKeyId: 'a',
    secretAccessKey: 'b',
    forcePathStyle: 'false',
    checksums: 'always',
  });
  const client = createS3Client(settings, { attemptsMax: 3 });
  t.after(() => client.destroy());
  const { forcePathStyle, credentials, maxAttempts, requestChecksumCalculation } = client.config;
  assert.equal(forcePathStyle, false);
  assert.equal(await maxAttempts(), 3);
  assert.equal(await requestChecksumCalculation(), 'WHEN_SUPPORTED');
  const { accessKeyId, secretAccessKey } = await credentials();
  assert.deepEqual([accessKeyId, secretAccessKey], ['a', 'b']);
});
