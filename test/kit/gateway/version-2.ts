import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

import { startUpstream } from '../servers/upstream.ts';
import { type Answer, type CallOptions, startLocalGateway } from './gateway.ts';

/** APIs of version 2 for tables: each row is an API behind one gateway, with a backend that echoes what it was asked. */

/** One API, what is asked of it, and what is to be seen. */
export interface Row {
  /** Of the API, beside or in place of what every one has. */
  readonly api: Readonly<Record<string, unknown>>;
  /** Of its proxy. */
  readonly proxy?: Readonly<Record<string, unknown>>;
  /** Of its endpoint. */
  readonly endpoint?: Readonly<Record<string, unknown>>;
  /** Below the API's own path, or a whole one behind `=`. */
  readonly path?: string;
  readonly options?: CallOptions;
  /** Names of what ran on the way in, in order of the alphabet. */
  readonly ran?: string;
  readonly status?: number;
  readonly see?: (answer: Answer, echoed: Echoed) => void;
}

/** What the backend was asked. */
export interface Echoed {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A step that sets a header which tells that it ran, of the request for the backend or of the answer for the client. */
export const mark = (name: string, value = 'yes'): object => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: `X-Ran-${name}`, value }] },
});

/** A plan for everybody. */
export const open = { id: 'open', name: 'Open', security: 'KEY_LESS' };

/** An API with one endpoint and a plan for everybody, under emulation, for gateways with the tag `inner`. */
export function apiOf(id: string, target: string, { api, proxy, endpoint }: Row): object {
  const { endpoint: oldest, ...others } = proxy ?? {};
  return {
    id,
    name: id,
    gravitee: '2.0.0',
    execution_mode: 'v4-emulation-engine',
    tags: ['inner'],
    plans: [open],
    proxy: {
      virtual_hosts: [{ path: `/${id}` }],
      groups: [
        {
          name: 'main',
          headers: [{ name: 'X-Group', value: '1' }],
          endpoints: [{ name: 'one', target, ...endpoint }],
        },
      ],
      ...others,
      ...(oldest === undefined ? {} : { endpoint: target }),
    },
    ...api,
  };
}

/** Serves all rows in one gateway (tag `inner`, tenant `here`, key `right` for plans with the id `keys`), and looks at each. */
export async function seeRows(t: TestContext, rows: Readonly<Record<string, Row>>): Promise<void> {
  const upstream = await startUpstream(t);
  const named = Object.entries(rows).map(([what, row], index) => ({ what, row, id: `r${index}` }));
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(named.map(({ id, row }) => [id, apiOf(id, `${upstream.url}/base`, row)])),
    subscriptions: named.map(({ id }) => ({
      id: `s-${id}`,
      api: id,
      plan: 'keys',
      application: 'app',
      apiKeys: ['right'],
    })),
    config: { tags: ['inner'], tenant: 'here' },
  });
  for (const { what, row, id } of named) {
    await t.test(what, async () => {
      const { path = '', options, status = 200 } = row;
      const answer = await gateway.call(path.startsWith('=') ? path.slice(1) : `/${id}${path}`, options);
      assert.equal(answer.status, status, answer.text);
      const echoed = (status === 200 ? JSON.parse(answer.text) : { url: '', headers: {} }) as Echoed;
      const ran = Object.keys(echoed.headers).filter((name) => name.startsWith('x-ran-'));
      const names = ran.map((name) => name.slice(6)).toSorted();
      if (row.ran !== undefined) assert.equal(names.join(' '), row.ran);
      row.see?.(answer, echoed);
    });
  }
}
