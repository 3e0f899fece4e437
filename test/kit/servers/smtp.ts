import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { SMTPServer } from 'smtp-server';
import type { TestAuthority } from './certificates.ts';

/** A mail that the server took, or holds. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Head and body as they came. */
  readonly raw: string;
  readonly isSecure: boolean;
  readonly user: string | undefined;
}

/** A real server of SMTP on 127.0.0.1. */
export interface TestSmtp {
  readonly port: number;
  readonly taken: readonly TakenMail[];
  /** What it says to recipients from now on: a code and words; undefined takes them. */
  refuse(to: { readonly code: number; readonly words: string } | undefined): void;
  /** Mails are read and not answered from now on. */
  hold(): void;
  /** Mails that came and were not answered. */
  readonly held: readonly TakenMail[];
  close(): Promise<void>;
}

/** How it is; without an authority it knows no TLS, without a password nobody signs in. */
export interface SmtpWish {
  readonly port?: number;
  readonly authority?: TestAuthority;
  readonly isImplicit?: boolean;
  readonly user?: { readonly name: string; readonly password: string };
}

/** Starts one, which stops with the test. */
export async function startSmtp(t: TestContext, wish: SmtpWish = {}): Promise<TestSmtp> {
  const taken: TakenMail[] = [];
  const held: TakenMail[] = [];
  let refusal: { readonly code: number; readonly words: string } | undefined;
  let isHolding = false;
  const { user } = wish;
  const server = new SMTPServer({
    ...secured(wish),
    authOptional: user === undefined,
    disabledCommands: [
      ...(wish.authority === undefined ? ['STARTTLS'] : []),
      ...(user === undefined ? ['AUTH'] : []),
    ],
    onAuth: ({ username, password }, _session, callback) =>
      username === user?.name && password === user?.password
        ? callback(null, { user: username })
        : callback(
            Object.assign(new Error(`no such pair: ${username}, ${String(password)}`), { responseCode: 535 }),
          ),
    onRcptTo: (_address, _session, callback) =>
      refusal === undefined
        ? callback()
        : callback(Object.assign(new Error(refusal.words), { responseCode: refusal.code })),
    onData(stream, session, callback) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const mail: TakenMail = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(parts).toString(),
          isSecure: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
        };
        if (isHolding) return void held.push(mail);
        taken.push(mail);
        return callback();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(wish.port ?? 0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const connection of server.connections) connection.close();
      server.close(() => resolve());
    });
  t.after(close);
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    held,
    refuse: (to) => void (refusal = to),
    hold: () => void (isHolding = true),
    close,
  };
}

function secured({ authority, isImplicit = false }: SmtpWish): object {
  if (authority === undefined) return {};
  const { certFile, keyFile } = authority.issue('smtp');
  return { secure: isImplicit, cert: readFileSync(certFile), key: readFileSync(keyFile) };
}
