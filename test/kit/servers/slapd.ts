import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { eventually } from '../eventually.ts';
import { freePort } from '../processes/processes.ts';
import { skipWithout } from '../require.ts';
import { tempDir } from '../temp-dir.ts';
import { endProcess, type RedisTls } from './redis.ts';

const slapd = '/usr/sbin/slapd';

/** For the `skip` of a test that needs a directory. */
export const withoutSlapd = skipWithout(
  'slapd',
  spawnSync(slapd, ['-VV'], { stdio: 'ignore' }).error === undefined,
);

/** A directory of one test, with the tree `dc=acme`, whose root is `cn=root,dc=acme` with the password `of-root`. */
export interface TestDirectory {
  readonly url: string;
  /** Undefined without certificates. */
  readonly tlsUrl: string | undefined;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const base = `dn: dc=acme
objectClass: dcObject
objectClass: organization
dc: acme
o: acme
`;

/** Starts one with these entries (LDIF); it ends with the test. */
export async function startDirectory(
  t: Pick<TestContext, 'after'>,
  ldif: string,
  tls?: RedisTls,
): Promise<TestDirectory> {
  const dir = tempDir(t);
  const [port, tlsPort] = [await freePort(), await freePort()];
  mkdirSync(join(dir, 'db'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const ofTls =
    tls === undefined
      ? ''
      : `TLSCertificateFile ${tls.certFile}\nTLSCertificateKeyFile ${tls.keyFile}\nTLSCACertificateFile ${tls.caFile}\n`;
  const settings = file(
    'slapd.conf',
    `${['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`).join('\n')}
pidfile ${join(dir, 'pid')}
argsfile ${join(dir, 'args')}
modulepath /usr/lib/ldap
moduleload back_mdb
${ofTls}database mdb
maxsize 10485760
suffix dc=acme
rootdn cn=root,dc=acme
rootpw of-root
directory ${join(dir, 'db')}
access to attrs=userPassword by anonymous auth by * none
access to * by * read
`,
  );
  execFileSync('/usr/sbin/slapadd', ['-f', settings, '-l', file('tree.ldif', `${base}\n${ldif}`)], {
    stdio: 'pipe',
  });
  const urls = [`ldap://127.0.0.1:${port}`, ...(tls === undefined ? [] : [`ldaps://127.0.0.1:${tlsPort}`])];
  let child: ReturnType<typeof spawn> | undefined;
  const stop = async (): Promise<void> => {
    const ending = child;
    child = undefined;
    await endProcess(ending);
  };
  const start = async (): Promise<void> => {
    child = spawn(slapd, ['-d', '0', '-f', settings, '-h', urls.join(' ')], { stdio: 'ignore' });
    await eventually(() => answers(port), { timeoutMs: 10_000 });
  };
  t.after(stop);
  await start();
  return {
    url: urls[0] ?? '',
    tlsUrl: urls[1],
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    stop,
    start,
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => (socket.destroy(), resolve(true))).on('error', () => resolve(false));
  });
}
