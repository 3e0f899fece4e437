import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hooks } from '../../mail/hooks.ts';
import { templateCharsMax, templates } from '../../mail/templates.ts';
import { type Answer, openOffice } from '../../../test/kit/control-plane/office.ts';
import { startTelling } from '../../../test/kit/control-plane/telling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { startSmtp } from '../../../test/kit/servers/smtp.ts';

const organization = '/management/organizations/DEFAULT';
const path = `${organization}/configuration/notification-templates`;
const created = { scope: 'PORTAL', hook: 'USER_CREATED', type: 'EMAIL' };
const reset = { scope: 'TEMPLATES_FOR_ACTION', hook: 'USER_PASSWORD_RESET', type: 'EMAIL' };
const words = { title: 'Welcome ${user.displayName}', content: '<p>Hello</p>\n<p>${user.email}</p>' };

type Listed = Record<string, unknown> & { readonly hook: string; readonly type: string };
const listed = ({ body }: Answer) => body as unknown as readonly Listed[];
const detailsOf = ({ body }: Answer) => body['details'] as readonly { location: string; message: string }[];

for (const database of testDatabases)
  test(
    `an organization says in its own words what mails and the console say, until it gives them up; a broken one is refused with its line (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const server = await startSmtp(t);
      const mail = { smtp: { host: '127.0.0.1', port: server.port, tls: 'none' } };
      const office = await openOffice(t, database, { mail });
      const post = (body: object) => office.call('POST', path, { body });
      const all = listed(await office.call('GET', path));
      assert.equal(all.length, templates.length);
      assert.ok(hooks.length * 2 < all.length && all.every(({ id }) => id === undefined));
      const own = listed(await office.call('GET', `${path}?scope=PORTAL&hook=USER_CREATED`));
      assert.deepEqual(
        own.map(({ type }) => type),
        ['EMAIL', 'PORTAL'],
      );
      assert.ok((own[0]?.['given'] as string[] | undefined)?.includes('user.email'));

      for (const [part, location, message] of [
        [{ content: '<p>one</p>\n<p>${user.email</p>' }, 'content', /^line 2, character \d+: /],
        [{ content: 'x\n${nobody.name}' }, 'content', /^line 2, character \d+: /],
        [{ title: '${user.displayName?number}' }, 'title', /^it fails: /],
        [{ title: 'x'.repeat(templateCharsMax.title + 1) }, 'title', /./],
        [{ content: 'x'.repeat(templateCharsMax.content + 1) }, 'content', /./],
        [{ ...reset, content: 'no link' }, 'content', /resetPasswordUrl/],
      ] as const) {
        const wish = { ...created, ...words, ...part };
        for (const answer of [
          await post(wish),
          await office.call('POST', `${path}/_preview`, { body: wish }),
        ]) {
          assert.deepEqual([answer.status, detailsOf(answer)[0]?.location], [400, location], answer.text);
          assert.match(detailsOf(answer)[0]?.message ?? '', message);
        }
      }
      assert.equal((await post({ ...created, hook: 'NONE', ...words })).status, 404);

      const preview = await office.call('POST', `${path}/_preview`, { body: { ...created, ...words } });
      assert.deepEqual(
        [preview.body['title'], preview.body['text']],
        ['Welcome Ada Lovelace', 'Hello\n\nada@example.com\n'],
      );
      assert.match(String(preview.body['html']), /<p>ada@example.com<\/p>/);

      const made = await post({ ...created, ...words });
      assert.equal(made.status, 200, made.text);
      assert.equal((await post({ ...created, ...words })).status, 409);
      const telling = { ...created, type: 'PORTAL', title: 'New: ${user.displayName}', content: 'Ours' };
      assert.equal((await post(telling)).status, 200);
      const settings = `${organization}/environments/DEFAULT/configuration/notificationsettings`;
      for (const body of [
        { config_type: 'PORTAL', hooks: ['USER_CREATED'] },
        {
          config_type: 'GENERIC',
          name: 'Ops',
          notifier: 'default-email',
          config: 'ops@example.com',
          hooks: ['USER_CREATED'],
        },
      ])
        assert.equal((await office.call('POST', settings, { body })).status, 201);
      const told = startTelling(t, office, mail);
      const create = async (username: string) => {
        const body = {
          username,
          password: 'a password of twelve',
          email: `${username}@b.com`,
        };
        const answer = await office.call('POST', `${organization}/users`, { body });
        assert.equal(answer.status, 201, answer.text);
      };
      const subjects = () => server.taken.map(({ raw }) => /^Subject: (.*)$/m.exec(raw)?.[1]?.trim());
      await create('ann');
      await told.until(() => server.taken.length === 1);
      assert.match(subjects()[0] ?? '', /Welcome ann/);
      assert.match(server.taken[0]?.raw ?? '', /ann@b\.com/);
      const { body: page } = await office.call('GET', `${organization}/user/notifications`);
      const [notification] = page['data'] as readonly { title: string; message: string }[];
      assert.deepEqual([notification?.title, notification?.message], ['New: ann', 'Ours']);

      // Whatever another version took: a mail that fails by these words is sent by ours.
      const { db } = office.storage;
      await db.updateTable('notification_template').set({ content: '${user.email?number}' }).execute();
      await create('bob');
      await told.until(() => server.taken.length === 2);
      assert.match(subjects()[1] ?? '', /User bob created/);

      const one = `${path}/${String(made.body['id'])}`;
      const moved = await office.call('PUT', one, { body: { ...reset, ...words } });
      assert.deepEqual([moved.status, detailsOf(moved)[0]?.location], [400, 'scope'], moved.text);
      const put = await office.call('PUT', one, { body: { ...created, ...words, enabled: false } });
      assert.deepEqual([put.status, put.body['enabled']], [200, false]);
      await create('carl');
      await told.until(() => server.taken.length === 3);
      assert.match(subjects()[2] ?? '', /User carl created/);
      assert.equal((await office.call('DELETE', one)).status, 204);
      assert.equal((await office.call('GET', one)).status, 404);
      const back = listed(await office.call('GET', `${path}?scope=PORTAL&hook=USER_CREATED`));
      assert.deepEqual(back[0], own[0]);
      const rows = await db.selectFrom('audit').select('event').orderBy('seq').execute();
      assert.deepEqual(
        rows.map(({ event }) => event).filter((event) => event.startsWith('NOTIFICATION_TEMPLATE')),
        ['CREATED', 'CREATED', 'UPDATED', 'DELETED'].map((what) => `NOTIFICATION_TEMPLATE_${what}`),
      );
    },
  );
