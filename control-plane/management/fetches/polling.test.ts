import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { shortTest as test, testOnce } from '../../../test/kit/long-run.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { type Office, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { startPolling, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';

const path = `${v1}/configuration/dictionaries`;

function body(url: string, more: object = {}): object {
  const configuration = { url, ...more };
  return {
    name: 'words',
    type: 'DYNAMIC',
    provider: { type: 'HTTP', configuration },
    trigger: { rate: 1, unit: 'SECONDS' },
  };
}

/** A dynamic dictionary that is started; gives its path. */
async function started(office: Office, url: string, key = 'words'): Promise<string> {
  const made = await office.call('POST', path, { body: { ...body(url), key } });
  const one = `${path}/${String(made.body['id'])}`;
  assert.equal((await office.call('POST', `${one}?action=START`)).status, 200);
  return one;
}

/** Words that gateways have, of all dictionaries. */
const words = async (office: Office): Promise<readonly unknown[]> =>
  (await office.published('dictionary')).flatMap(({ payload }) => payload['entries']);

const problemOf = async (office: Office, one: string): Promise<unknown> => {
  const { last_fetch: state } = (await office.call('GET', one)).body;
  return (state as { readonly problem?: string } | undefined)?.problem;
};

const fetchEvents = async (office: Office): Promise<readonly string[]> =>
  (await office.storage.db.selectFrom('audit').selectAll().orderBy('created_at_ms').execute())
    .filter(({ event }) => event.includes('_FETCH_'))
    .map(({ event, user_id: user }) => `${user} ${event}`);

async function prepare(t: TestContext, database: TestDatabase) {
  return { office: await openOffice(t, database), provider: await startProvider(t) };
}

for (const database of testDatabases) {
  const named = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    named(
      'a fetch that fails keeps the former words, and says why; the audit tells of its begin and its end',
    ),
    options,
    async (t) => {
      const { office, provider } = await prepare(t, database);
      const polling = startPolling(t, office, { answerMsMax: 300, answerBytesMax: 1_000 });
      const good = [{ key: 'a', value: 'b' }];
      provider.answer(good);
      const one = await started(office, provider.url);
      await polling.seconds(1);
      assert.deepEqual(await words(office), good);
      for (const [answer, status, expected] of [
        [{}, 500, /^The answer has the status 500\.$/],
        // Redirects are not followed: who is asked was judged, where they lead was not.
        [good, 302, /status 302/],
        ['<html>', 200, /^The answer is not JSON\.$/],
        [{ a: 'b' }, 200, /must be a list of objects with key and value/],
        [[{ value: 'b' }], 200, /item 0 .* has no key/],
        [[{ key: {}, value: 'b' }], 200, /key of item 0 .* is no text/],
        [[{ key: 'k'.repeat(257), value: 'b' }], 200, /must have 1 to 256 characters/],
        [[{ key: 'a', value: 'x'.repeat(1_000) }], 200, /too large/],
        ['never', 200, /did not answer in time/],
      ] as const) {
        provider.answer(answer, status);
        await polling.seconds(1);
        assert.match(String(await problemOf(office, one)), expected);
        assert.deepEqual(await words(office), good);
      }
      provider.answer([]);
      await polling.seconds(1);
      assert.deepEqual([await problemOf(office, one), await words(office)], [undefined, []]);
      assert.deepEqual(await fetchEvents(office), [
        'control-plane DICTIONARY_FETCH_FAILED',
        'control-plane DICTIONARY_FETCH_RECOVERED',
      ]);
    },
  );

  test(
    named('a transformation that makes too much is a problem of its dictionary, and others go on'),
    options,
    async (t) => {
      const { office, provider } = await prepare(t, database);
      const polling = startPolling(t, office, { answerBytesMax: 1_000_000 });
      const twice = { operation: 'shift', spec: { a: ['a.l', 'a.r'] } };
      const longKey = { operation: 'shift', spec: { a: { '@': 'x' }, b: '@(1,a)'.repeat(9_000) } };
      provider.answer({ a: 'x'.repeat(20_000), b: 1 });
      const bombs: string[] = [];
      for (const [index, specification] of [Array(40).fill(twice), longKey].entries()) {
        const sent = {
          ...body(provider.url, { specification: JSON.stringify(specification) }),
          key: `k${index}`,
        };
        const one = `${path}/${String((await office.call('POST', path, { body: sent })).body['id'])}`;
        assert.equal((await office.call('POST', `${one}?action=START`)).status, 200);
        bombs.push(one);
      }
      const good = [{ key: 'a', value: 'b' }];
      const other = await startProvider(t);
      other.answer(good);
      await started(office, other.url);
      const before = process.cpuUsage();
      await polling.seconds(1);
      assert.ok(process.cpuUsage(before).user < 2_000_000);
      const problems = await Promise.all(bombs.map((one) => problemOf(office, one)));
      assert.match(String(problems[0]), /^The transformation makes more than \d+ (values|characters)\.$/);
      assert.match(String(problems[1]), /^The transformation makes a key of more than \d+ characters\.$/);
      assert.deepEqual(await words(office), good);
    },
  );

  testOnce(database)(named('it reaches no address that no tenant may reach'), options, async (t) => {
    const { office, provider } = await prepare(t, database);
    const polling = startPolling(t, office, { allow: [] });
    for (const [index, url] of [
      provider.url,
      `http://localhost:${provider.port}`,
      'http://169.254.169.254/latest/meta-data',
      'http://[::ffff:10.0.0.1]/',
      'http://0x7f000001/',
    ].entries()) {
      const one = await started(office, url, `k${index}`);
      await polling.seconds(1);
      assert.match(
        String(await problemOf(office, one)),
        /may not be called\. Add it to control-plane\.outbound\.allow\.$/,
        url,
      );
      await office.call('DELETE', one);
    }
    assert.equal(provider.asked.length, 0);
  });

  testOnce(database)(
    named('an answer counts only as long as the question is the same'),
    options,
    async (t) => {
      const { office, provider } = await prepare(t, database);
      const polling = startPolling(t, office);
      const slow = await startProvider(t);
      slow.answer('never');
      const one = await started(office, slow.url);
      await eventually(() => office.clock.pending > 0);
      await office.clock.advance(1_000);
      await eventually(() => slow.asked.length === 1);
      provider.answer([{ key: 'new', value: '1' }]);
      await office.call('PUT', one, { body: body(provider.url) });
      await office.call('POST', `${one}?action=STOP`);
      await polling.stop();
      assert.deepEqual([await words(office), await problemOf(office, one)], [[], undefined]);
    },
  );

  test(
    named('of two control planes on one database one asks, and the other goes on when it ends'),
    options,
    async (t) => {
      const { office, provider } = await prepare(t, database);
      provider.answer([]);
      const first = startPolling(t, office);
      const second = startPolling(t, office);
      await started(office, provider.url);
      await first.seconds(1);
      assert.equal(provider.asked.length, 1);
      await first.seconds(2);
      assert.equal(provider.asked.length, 3);
      await first.stop();
      await second.seconds(3);
      assert.ok(provider.asked.length >= 5);
    },
  );

  test(
    named('one organization has some of the calls, and a clock that is set back stops none'),
    options,
    async (t) => {
      const { office, provider } = await prepare(t, database);
      provider.answer('never');
      const polling = startPolling(t, office, {
        answerMsMax: 60_000,
        runningMax: 3,
        runningPerOrganizationMax: 2,
      });
      for (const key of ['a', 'b', 'c', 'd']) await started(office, provider.url, key);
      for (let look = 0; look < 3; look += 1) {
        await eventually(() => office.clock.pending > 0);
        await office.clock.advance(1_000);
      }
      await eventually(() => provider.asked.length === 2);
      await polling.stop();
      provider.answer([{ key: 'x', value: 'y' }]);
      const again = startPolling(t, office);
      await again.seconds(1);
      office.clock.jump(-3_600_000);
      const { length } = provider.asked;
      await again.seconds(1);
      await eventually(() => provider.asked.length >= length + 4);
    },
  );
}
