import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { mask } from '../../../proto/trust/sealed-text.ts';
import {
  type Answer,
  apiBody,
  environment,
  type Office,
  openOffice,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { openCaller, startPolling, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { questionOf, sourceSchema } from './page-fetchers.ts';
import { sqlite, type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';

async function openScene(t: TestContext, database: TestDatabase) {
  const outbound = openCaller();
  t.after(() => outbound.close());
  const office = await openOffice(t, database, { outbound });
  const provider = await startProvider(t);
  const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/documented') });
  return { office, provider, api: `${environment}/apis/${String(made.body['id'])}` };
}

const firstFault = ({ status, body }: Answer): unknown => {
  const [first] = (body['details'] ?? []) as { readonly location: string }[];
  return [status, body.technicalCode, first?.location];
};
const eventsOf = async (office: Office): Promise<readonly string[]> =>
  (await office.storage.db.selectFrom('audit').selectAll().orderBy('created_at_ms').execute())
    .filter(({ event }) => event.startsWith('PAGE_'))
    .map(({ event, user_id: user }) => `${user === 'control-plane' ? 'by itself' : 'by hand'} ${event}`);

test('a page comes from a file of a repository, asked as its server wants it, with a credential that no answer shows', async (t) => {
  const { office, provider, api } = await openScene(t, sqlite);
  const content = Buffer.from('# From GitHub').toString('base64');
  const repository = { repository: 'docs', filepath: 'guides/How to.md', branchOrTag: 'release/1' };
  for (const [type, configuration, answer, path, headers] of [
    [
      'github-fetcher',
      { githubUrl: `${provider.url}/`, owner: 'acme', personalAccessToken: 'token-1', ...repository },
      { type: 'file', encoding: 'base64', content },
      '/repos/acme/docs/contents/guides/How%20to.md?ref=release%2F1',
      { authorization: 'Bearer token-1' },
    ],
    [
      'gitlab-fetcher',
      {
        gitlabUrl: `${provider.url}/api/v4`,
        namespace: 'acme/team',
        project: 'docs',
        filepath: 'guides/How to.md',
        privateToken: 'token-2',
      },
      '# From GitLab',
      '/api/v4/projects/acme%2Fteam%2Fdocs/repository/files/guides%2FHow%20to.md/raw?ref=HEAD',
      { 'private-token': 'token-2' },
    ],
    [
      'bitbucket-fetcher',
      {
        bitbucketUrl: provider.url,
        username: 'acme',
        ...repository,
        branchOrTag: 'main',
        login: 'jo',
        password: 'token-3',
      },
      '# From Bitbucket',
      '/repositories/acme/docs/src/main/guides/How%20to.md',
      { authorization: `Basic ${Buffer.from('jo:token-3').toString('base64')}` },
    ],
  ] as const) {
    provider.answer(answer);
    const page = await office.call('POST', `${api}/pages`, {
      body: { name: type, type: 'MARKDOWN', source: { type, configuration } },
    });
    assert.equal(page.status, 201, page.text);
    assert.match(String(page.body['content']), /^# From /);
    assert.ok(!page.text.includes('token-'), page.text);
    assert.ok(page.text.includes(mask));
    const asked = provider.asked.at(-1);
    assert.equal(asked?.url, path);
    for (const [name, value] of Object.entries(headers)) assert.equal(asked.headers[name], value);
    const one = `${api}/pages/${String(page.body['id'])}`;
    const back = await office.call('PUT', one, { body: page.body });
    assert.equal(back.status, 200, back.text);
    assert.equal((await office.call('POST', `${one}/_fetch`)).status, 200);
    assert.deepEqual(provider.asked.at(-1)?.headers['authorization'], asked.headers['authorization']);
    const elsewhere = JSON.parse(page.text.replaceAll(provider.url, 'https://elsewhere.example')) as object;
    const refused = await office.call('PUT', one, { body: elsewhere });
    assert.equal(refused.status, 400, 'a mask does not stand for a secret of another server');
    assert.match(refused.text, /was for another server/);
  }
  provider.answer([{ name: 'a.md' }]);
  const source = {
    type: 'github-fetcher',
    configuration: { githubUrl: provider.url, owner: 'a', repository: 'b', filepath: 'folder' },
  };
  const create = (wish: object) =>
    office.call('POST', `${api}/pages`, { body: { name: 'No', type: 'MARKDOWN', source: wish } });
  assert.match((await create(source)).text, /is no file/);
  provider.answer({ encoding: 'base64', content: Buffer.from('one\0two').toString('base64') });
  assert.match((await create(source)).text, /cannot be kept: it must not hold NUL/);
  const told = provider.asked.length;
  for (const [more, location] of [
    [{ filepath: '../../user' }, 'source.configuration.filepath'],
    [{ owner: '..' }, 'source.configuration.owner'],
    [{ repository: '..' }, 'source.configuration.repository'],
    [{ branchOrTag: '..' }, 'source.configuration.branchOrTag'],
    [{ personalAccessToken: 'a\nb' }, 'source.configuration.personalAccessToken'],
    [{ useSystemProxy: true }, 'source.configuration.useSystemProxy'],
    [{ owner: undefined }, 'source.configuration.owner'],
  ] as const)
    assert.deepEqual(
      firstFault(await create({ ...source, configuration: { ...source.configuration, ...more } })),
      [400, 'request.invalid', location],
    );
  const repository2 = 'https://git.example/acme/docs.git';
  const git = await create({
    type: 'git-fetcher',
    configuration: { repository: repository2, branchOrTag: 'main', path: 'a.md' },
  });
  assert.deepEqual(firstFault(git), [400, 'request.invalid', 'source.configuration.repository']);
  assert.match(git.text, /by github-, gitlab- or bitbucket-fetcher/);
  assert.equal(provider.asked.length, told, 'what is refused is not asked');
});

test('a file of a git repository is asked of the API of whoever hosts it, and of nobody else', () => {
  const urlOf = (repository: string, branchOrTag = 'main'): string | undefined => {
    const configuration = { repository, branchOrTag, path: 'guides/How to.md' };
    const { data } = sourceSchema.safeParse({ type: 'git-fetcher', configuration });
    return data && questionOf(data).url;
  };
  for (const ending of ['', '.git', '/'])
    assert.equal(
      urlOf(`https://github.com/acme/docs${ending}`, 'release/1'),
      'https://api.github.com/repos/acme/docs/contents/guides/How%20to.md?ref=release%2F1',
    );
  assert.equal(
    urlOf('https://gitlab.com/acme/team/docs.git'),
    'https://gitlab.com/api/v4/projects/acme%2Fteam%2Fdocs/repository/files/guides%2FHow%20to.md/raw?ref=main',
  );
  assert.equal(
    urlOf('https://bitbucket.org/acme/docs.git'),
    'https://api.bitbucket.org/2.0/repositories/acme/docs/src/main/guides/How%20to.md',
  );
  assert.equal(urlOf('https://bitbucket.org/acme/docs.git', 'release/1'), undefined);
  for (const repository of [
    'https://git.example/acme/docs.git',
    'http://github.com/acme/docs.git',
    'https://me:token@github.com/acme/docs.git',
    'https://github.com/me@acme/docs',
    'https://github.com.example/acme/docs.git',
    'https://github.com/docs.git',
    'https://github.com/acme/team/docs.git',
    'https://gitlab.com/acme/../docs',
    'https://github.com/acme/docs?x=y',
    'git@github.com:acme/docs.git',
    'file:///etc/passwd',
  ])
    assert.equal(urlOf(repository), undefined, repository);
});

test('what pages can come from is listed, with a form for each', async (t) => {
  const { office } = await openScene(t, sqlite);
  const list = JSON.parse((await office.call('GET', `${v1}/fetchers?expand=schema`)).text) as {
    readonly id: string;
    readonly schema: string;
  }[];
  assert.deepEqual(
    list.map(({ id }) => id),
    ['http-fetcher', 'github-fetcher', 'gitlab-fetcher', 'bitbucket-fetcher', 'git-fetcher'],
  );
  const one = await office.call('GET', `${v1}/fetchers/github-fetcher/schema`);
  assert.deepEqual(one.body, JSON.parse(list[1]?.schema ?? ''));
  const { personalAccessToken } = one.body['properties'] as Record<string, { readonly format?: string }>;
  assert.equal(personalAccessToken?.format, 'password');
  assert.deepEqual(firstFault(await office.call('GET', `${v1}/fetchers/ftp`)), [
    404,
    'fetcher.notFound',
    undefined,
  ]);
});

for (const database of testDatabases)
  test(
    `a page is fetched by its schedule, tells how that goes, and stays as it is when it cannot be (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const { office, provider, api } = await openScene(t, database);
      const polling = startPolling(t, office);
      const sourceOf = (more: object) => ({
        type: 'http-fetcher',
        configuration: { url: `${provider.url}/a.md`, ...more },
      });
      const source = sourceOf({ autoFetch: true, fetchCron: '*/30 * * * * *' });
      for (const fetchCron of ['', 'every day', '* * * * *']) {
        const body = { name: 'No', type: 'MARKDOWN', source: sourceOf({ autoFetch: true, fetchCron }) };
        assert.deepEqual(firstFault(await office.call('POST', `${api}/pages`, { body })), [
          400,
          'fetch.cron.invalid',
          'source.configuration.fetchCron',
        ]);
      }
      provider.answer('# One');
      const body = { name: 'Fetched', type: 'MARKDOWN', source };
      for (const pages of [`${api}/pages`, `${v1}/portal/pages`]) {
        const page = await office.call('POST', pages, { body });
        assert.equal(page.status, 201, page.text);
        assert.deepEqual(Object.keys(page.body['lastFetch'] as object), ['nextAt']);
      }
      const list = await office.call('GET', `${api}/pages`);
      const { id } = (list.body['pages'] as { readonly id: string }[])[0] ?? { id: '' };
      const one = `${api}/pages/${id}`;
      const asked = provider.asked.length;
      await polling.seconds(59);
      assert.equal(provider.asked.length, asked, 'not more often than once a minute');
      provider.answer('# Two');
      await polling.seconds(31);
      assert.equal(provider.asked.length, asked + 2);
      const read = async () => (await office.call('GET', one)).body;
      const lastFetch = async () =>
        (await read())['lastFetch'] as {
          readonly problem?: string;
          readonly triedAt: string;
          readonly nextAt?: string;
        };
      assert.deepEqual([(await read())['content'], (await lastFetch()).problem], ['# Two', undefined]);
      assert.ok(
        Date.parse((await lastFetch()).nextAt ?? '') - Date.parse((await lastFetch()).triedAt) >= 60_000,
      );

      provider.answer('gone', 404);
      await polling.seconds(90);
      assert.equal((await lastFetch()).problem, 'What it comes from answers with the status 404.');
      assert.equal((await read())['content'], '# Two');
      provider.answer('# Two');
      await polling.seconds(90);
      assert.equal((await lastFetch()).problem, undefined);
      const events = (await eventsOf(office)).filter((event) => event.startsWith('by itself'));
      assert.deepEqual(events.toSorted(), [
        ...Array<string>(2).fill('by itself PAGE_FETCH_FAILED'),
        ...Array<string>(2).fill('by itself PAGE_FETCH_RECOVERED'),
        ...Array<string>(2).fill('by itself PAGE_UPDATED'),
      ]);

      const put = await office.call('PUT', one, { body: { ...(await read()), source: sourceOf({}) } });
      assert.deepEqual([put.status, put.body['lastFetch']], [200, undefined], put.text);
      assert.equal((await office.call('DELETE', `${api}`)).status, 204);
      const rows = await office.storage.db.selectFrom('fetched').selectAll().execute();
      assert.equal(rows.length, 1, 'of what is gone nothing is fetched');
    },
  );
