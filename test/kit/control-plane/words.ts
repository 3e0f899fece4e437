import assert from 'node:assert/strict';
import { type Office, v1 } from './office.ts';

const configuration = '/management/organizations/DEFAULT/configuration';

/** Makes what APIs and fleets name, unless it is there. */
export async function makeWords(
  office: Pick<Office, 'call'>,
  {
    tags = [],
    tenants = [],
    categories = [],
  }: {
    readonly tags?: readonly string[];
    readonly tenants?: readonly string[];
    readonly categories?: readonly string[];
  },
): Promise<void> {
  const make = async (path: string, body: unknown): Promise<void> => {
    const answer = await office.call('POST', path, { body });
    const isThere = /^(tag|tenant|category)\.exists$/.test(answer.body.technicalCode ?? '');
    assert.ok(answer.status === 200 || isThere, answer.text);
  };
  for (const key of tags) await make(`${configuration}/tags`, { key, name: key });
  if (tenants.length > 0)
    await make(
      `${configuration}/tenants`,
      tenants.map((key) => ({ key, name: key })),
    );
  for (const name of categories) await make(`${v1}/configuration/categories`, { name });
}
