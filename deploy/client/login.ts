import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import { z } from 'zod';

import { Fault } from '../../proto/faults/fault.ts';
import { createCommand, wholeNumber } from '../command.ts';
import { print, say } from '../terminal.ts';
import { type Context, contextsFile, readContexts, writeContexts } from './contexts.ts';
import { type Credential, withManagement } from './management.ts';
import { readSecretly, secretIn } from './secret-input.ts';
import { systemClock } from '../../proto/process/clock.ts';

type LoginFlags = {
  readonly url: string;
  readonly name?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly code?: string;
  readonly tokenFile?: string;
  readonly organization: string;
  readonly environment: string;
  readonly days: number;
  readonly json?: true;
};

const dayMs = 86_400_000;
const daysMax = 366;
const daysUnlessTold = 90;
const passwordVariable = 'ISTHMUS_PASSWORD';
const madeTokenSchema = z.object({ id: z.string().min(1), token: z.string().min(1) });

/** `isthmus login`. */
export function loginCommand(): Command {
  const command = createCommand({
    name: 'login',
    summary:
      'Signs in to a control plane and keeps that as a context for get, describe, create, apply and delete.',
    examples: [
      'isthmus login --url http://localhost:8083 --user admin            # asks for the password',
      'isthmus login --url https://manage.example.com --token-file token.txt --name production --environment prod',
      `${passwordVariable}=... isthmus login --url https://manage.example.com --user ann`,
    ],
  });
  return command
    .requiredOption('--url <url>', 'of the control plane, e.g. https://manage.example.com')
    .option('--name <context>', 'what the context is called; default: the host of the URL')
    .option('--user <name>', 'whose password makes a personal token; the password itself is not kept')
    .option(
      '--password-file <file>',
      `the password, - for standard input; default: ${passwordVariable}, else asked for`,
    )
    .option('--code <code>', 'of the second factor, where the user has one; default: asked for')
    .option(
      '--token-file <file>',
      'a personal token instead, as the console makes them; - for standard input',
    )
    .option('--organization <id>', 'id or human-readable id', 'DEFAULT')
    .option('-e, --environment <id>', 'id or human-readable id', 'DEFAULT')
    .option(
      '--days <n>',
      'so long the token that is made can be used',
      wholeNumber(1, daysMax),
      daysUnlessTold,
    )
    .option('--json', 'the context as JSON, without its token')
    .action(async (flags: LoginFlags) => {
      const url = urlOf(flags.url);
      const { organization, environment } = flags;
      const signedIn = await signIn(url, flags);
      const context: Context = { url: url.href.replace(/\/$/, ''), organization, environment, ...signedIn };
      try {
        await proved(context);
      } catch (error) {
        // Of a sign-in that failed nothing stays there either.
        if (context.tokenId !== undefined) say(await deleteOwnToken(context));
        throw error;
      }
      const name = flags.name ?? url.host;
      const file = contextsFile(process.env);
      const { contexts } = readContexts(file);
      writeContexts(file, { current: name, contexts: { ...contexts, [name]: context } });
      if (flags.json === true)
        return print(JSON.stringify({ name, url: context.url, organization, environment }));
      say(`signed in; ${name} is the current context, kept in ${file}`);
    });
}

/** `isthmus logout`. */
export function logoutCommand(): Command {
  const command = createCommand({
    name: 'logout',
    summary: 'Forgets a context, and deletes the token that `isthmus login` made for it.',
    examples: ['isthmus logout', 'isthmus logout production'],
  });
  return command
    .argument('[context]', 'default: the current one')
    .action(async (wanted: string | undefined) => {
      const file = contextsFile(process.env);
      const { current, contexts } = readContexts(file);
      const name = wanted ?? current;
      const context = name !== undefined && Object.hasOwn(contexts, name) ? contexts[name] : undefined;
      if (name === undefined || context === undefined)
        throw new Fault('client.no_context', {
          detail: name === undefined ? 'There is no current context.' : `There is no context ${name}.`,
        });
      const { [name]: _, ...others } = contexts;
      writeContexts(file, { ...(current !== name && { current }), contexts: others });
      say(`${name} is forgotten; ${await deleteOwnToken(context)}`);
    });
}

/** Who signs in is somebody, and the environment is there. */
function proved({ url, token, organization, environment }: Context): Promise<void> {
  return withManagement(url, { token }, async (management) => {
    await management.call({
      method: 'GET',
      path: `/organizations/${encodeURIComponent(organization)}/user`,
    });
    await management.call({ method: 'GET', path: `/v2/environments/${encodeURIComponent(environment)}` });
  });
}

/** People find it by this name in the console. */
const tokenName = (atMs: number): string =>
  `isthmus login, ${userInfo().username}@${hostname()}, ${new Date(atMs).toISOString()}`.slice(0, 200);

async function signIn(url: URL, flags: LoginFlags): Promise<Pick<Context, 'token' | 'tokenId'>> {
  if (flags.tokenFile !== undefined) return { token: secretIn(flags.tokenFile, 'token') };
  if (flags.user === undefined)
    throw new Fault('config.invalid', { detail: 'Say who signs in: --user <name>, or --token-file <file>.' });
  const password =
    flags.passwordFile === undefined
      ? (process.env[passwordVariable] ??
        (await readSecretly(
          `password of ${flags.user}`,
          `Give it with --password-file, or as ${passwordVariable}.`,
        )))
      : secretIn(flags.passwordFile, 'password');
  const credential = { user: flags.user, password };
  try {
    return await tokenBySession(url, credential, flags);
  } catch (error) {
    const isCodeWanted = error instanceof Fault && error.parameters?.['technicalCode'] === codeRequired;
    if (!isCodeWanted) throw error;
    const code =
      flags.code ?? (await readSecretly(`code of the second factor of ${flags.user}`, codeOtherwise));
    return tokenBySession(url, credential, { ...flags, code });
  }
}

const codeRequired = 'signIn.codeRequired';
const codeOtherwise = 'Give one with --code; it counts once.';
const tokenSchema = z.object({ token: z.string().min(1) });

/**
 * A password opens a session, with a second factor by a code; the token is made by it, and it ends. Who signs in by one is known to have been
 * there: a password that makes a token by itself leaves no last sign-in, and no row in the audit.
 */
async function tokenBySession(
  url: URL,
  credential: Credential,
  flags: LoginFlags,
): Promise<Pick<Context, 'token' | 'tokenId'>> {
  const user = `/organizations/${encodeURIComponent(flags.organization)}/user`;
  const { body } = await withManagement(url.href, credential, (management) =>
    management.call({ method: 'POST', path: `${user}/login`, body: { code: flags.code } }),
  );
  const session = tokenSchema.parse(body);
  try {
    return await makeToken(url, session, flags);
  } finally {
    await withManagement(url.href, session, (management) =>
      management.call({ method: 'POST', path: `${user}/logout` }),
    );
  }
}

async function makeToken(
  url: URL,
  credential: Credential,
  flags: LoginFlags,
): Promise<Pick<Context, 'token' | 'tokenId'>> {
  const nowMs = systemClock.now();
  const { body } = await withManagement(url.href, credential, (management) =>
    management.call({
      method: 'POST',
      path: `/organizations/${encodeURIComponent(flags.organization)}/user/tokens`,
      body: { name: tokenName(nowMs), expiresAt: new Date(nowMs + flags.days * dayMs).toISOString() },
    }),
  );
  const made = madeTokenSchema.safeParse(body);
  if (made.success) return { token: made.data.token, tokenId: made.data.id };
  throw new Fault('client.refused', { detail: `What answers at ${url.origin} made no token.` });
}

/** A token of one's own is left where it stands. */
async function deleteOwnToken({ url, token, tokenId, organization }: Context): Promise<string> {
  if (tokenId === undefined) return 'its token was not made here and is still one';
  const path = `/organizations/${encodeURIComponent(organization)}/user/tokens/${encodeURIComponent(tokenId)}`;
  try {
    await withManagement(url, { token }, (management) => management.call({ method: 'DELETE', path }));
    return 'its token is deleted';
  } catch (error) {
    if (error instanceof Fault) return `its token could not be deleted: ${error.detail}`;
    throw error;
  }
}

/** Over plain HTTP whoever is on the way reads the password and the token. */
function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Fault('config.invalid', { detail: `--url ${text} is no URL with http or https.` });
  if (url.username !== '' || url.search !== '' || url.hash !== '')
    throw new Fault('config.invalid', {
      detail: '--url must have neither a user, nor a query, nor a fragment.',
    });
  const isOpen = url.protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (isOpen)
    say('warning: over plain HTTP whoever is on the way reads what signs in; use https where you can');
  return url;
}
