import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { kitGround, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { createAuthority, type IssueOptions } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { ClientCertificate } from '../../http/exchange.ts';

interface Wish {
  readonly scheme?: 'http' | 'https';
  readonly headers?: Readonly<Record<string, string>>;
  readonly certificate?: ClientCertificate;
  /** Default: of nobody whom we trust. */
  readonly peer?: string;
}

const proxy = '10.0.0.1';

/** What becomes of a request: undefined where it passes, else its status, key and what is said. */
function judge(
  config: object,
  { scheme = 'https', headers = {}, certificate, peer = '192.0.2.7' }: Wish = {},
) {
  const ground = { ...kitGround, isTrustedPeer: (address: string) => address === proxy };
  const call = startPolicy('ssl-enforcement', config, { host: { ground } }).call({
    request: { scheme },
    headers,
    connection: { remoteAddress: peer, clientCertificate: certificate },
  });
  // The clock of certificates goes.
  Object.assign(call, { startedAtMs: Date.parse(new Date().toISOString()) });
  const verdict = call.pass();
  if (verdict === undefined) return undefined;
  assert.ok('kind' in verdict && verdict.kind === 'reject');
  return `${verdict.status} ${verdict.key}: ${verdict.message}`;
}

const needed = '403 SSL_ENFORCEMENT_SSL_REQUIRED: TLS is required here';
const missing = '401 SSL_ENFORCEMENT_AUTHENTICATION_REQUIRED: A client certificate is required here';

test('a request without TLS is refused; what a proxy says of its client counts where it is asked for and the proxy is ours', () => {
  assert.equal(judge({}), undefined);
  assert.equal(judge({}, { scheme: 'http' }), needed);
  assert.equal(
    judge({ requiresSsl: false, requiresClientAuthentication: true }, { scheme: 'http' }),
    undefined,
    'without TLS nothing else is asked',
  );
  const useXForwardedProto = { useXForwardedProto: true };
  const told = (
    headers: Readonly<Record<string, string>>,
    peer = proxy,
    config: object = useXForwardedProto,
  ) => judge(config, { scheme: 'http', headers, peer });
  assert.equal(told({ 'X-Forwarded-Proto': 'https' }), undefined);
  assert.equal(told({ 'X-Forwarded-Proto': 'HTTPS, https' }), undefined);
  assert.equal(told({ 'X-Forwarded-Proto': 'https, http' }), needed);
  assert.equal(told({ 'X-Forwarded-Proto': 'https' }, '192.0.2.7'), needed);
  assert.equal(told({ 'X-Forwarded-Proto': 'https' }, proxy, {}), needed);
  const ours = 'for=10.0.0.1;proto=http';
  const http = { 'X-Forwarded-Proto': 'http' };
  assert.equal(told({ ...http, Forwarded: `for=192.0.2.7;proto=https, ${ours}` }), undefined);
  assert.equal(told({ ...http, Forwarded: `proto=https, for=192.0.2.7;proto=http, ${ours}` }), needed);
  assert.equal(told({ ...http, Forwarded: 'for=10.0.0.1;proto=https' }), needed, 'that is our own element');
  assert.equal(told({}), needed);
});

test('clients show certificates, in the handshake or a header of a proxy of ours', (t) => {
  const authority = createAuthority(tempDir(t));
  const issue = (name: string, options?: IssueOptions, isVerified = true): ClientCertificate => {
    const pem = readFileSync(authority.issue(name, options).certFile, 'utf8');
    const { subject, validFromDate, validToDate } = new X509Certificate(pem);
    return {
      pem,
      subject,
      fingerprintSha256: '',
      validFromMs: validFromDate.getTime(),
      validToMs: validToDate.getTime(),
      isVerified,
    };
  };
  const options: IssueOptions = {
    subject: '/C=FR/O=Acme, CN=admin/OU=Été/CN=orders.acme.com',
    names: ['DNS:orders.acme.com', 'email:ops@acme.com', 'IP:192.0.2.9', 'URI:spiffe://acme/orders'],
    extensions: ['certificatePolicies=1.3.6.1.4.1.99999.1,1.3.6.1.4.1.99999.2'],
  };
  const orders = issue('orders', options);
  const self = issue('self', options, false);
  const old = issue('old', { isExpired: true });
  const shown = (more: object, certificate?: ClientCertificate) =>
    judge({ requiresClientAuthentication: true, ...more }, certificate === undefined ? {} : { certificate });

  assert.equal(shown({}, orders), undefined);
  assert.equal(shown({}), missing);
  assert.equal(shown({}, old), missing);
  assert.equal(shown({}, self), undefined);

  const subject = 'C=FR, O="Acme, CN=admin", OU=Été, CN=orders.acme.com';
  for (const name of [
    subject,
    'CN=*.acme.com,OU=?t?,o=Acme\\, CN=admin,C=*',
    'cn=*,CN=orders.acme.com,C=FR,OU=Été',
  ]) {
    const result = shown({ whitelistClientCertificates: ['CN=x', name] }, orders);
    if (name.startsWith('cn=*')) assert.match(result ?? '', /^403 SSL_ENFORCEMENT_CLIENT_FORBIDDEN/);
    else assert.equal(result, undefined, name);
  }
  for (const name of [
    'CN=orders.acme.com',
    'CN=admin,O=Acme,OU=Été,C=FR',
    'C=FR,O=Acme,CN=admin,OU=Été,CN=orders.acme.com',
  ])
    assert.equal(
      shown({ whitelistClientCertificates: [name] }, orders),
      '403 SSL_ENFORCEMENT_CLIENT_FORBIDDEN: The client certificate of C=FR, O=Acme, CN=admin, OU=Été, CN=orders.acme.com is not let in here',
      name,
    );
  assert.equal(shown({ whitelistClientCertificates: [subject] }, self), missing, 'nobody stands behind it');

  assert.equal(shown({ whitelistIssuers: ['CN=Isthmus*'] }, orders), undefined);
  assert.equal(
    shown({ whitelistIssuers: ['CN=Another CA'] }, orders),
    '403 SSL_ENFORCEMENT_ISSUER_MISMATCH: Client certificates that CN=Isthmus test CA has issued are not let in here',
  );

  const [one, two, three] = ['1.3.6.1.4.1.99999.1', '1.3.6.1.4.1.99999.2', '1.3.6.1.4.1.99999.3'];
  assert.equal(shown({ requiredCertificatePolicies: [one, two] }, orders), undefined);
  assert.equal(
    shown({ requiredCertificatePolicies: [one, three] }, orders),
    `403 SSL_ENFORCEMENT_OID_MISMATCH: The client certificate has not the policies ${one}, ${three}`,
  );

  for (const name of ['*.ACME.com', 'ops@acme.com', '192.0.2.9', 'spiffe://acme/*', 'orders.acme.co?'])
    assert.equal(shown({ whitelistSubjectAlternativeNames: ['x', name] }, orders), undefined, name);
  assert.equal(
    shown({ whitelistSubjectAlternativeNames: ['acme.com'] }, orders),
    '403 SSL_ENFORCEMENT_SAN_MISMATCH: The client certificate has none of the names acme.com',
  );
  assert.match(
    shown({ whitelistSubjectAlternativeNames: ['*'] }, issue('bare', { names: [] })) ?? '',
    /SAN_MISMATCH/,
  );

  const config = {
    requiresClientAuthentication: true,
    certificateLocation: 'HEADER',
    certificateHeaderName: 'X-Cert',
    whitelistSubjectAlternativeNames: ['orders.acme.com'],
  };
  const headers = { 'X-Cert': encodeURIComponent(orders.pem) };
  assert.equal(judge(config, { headers, peer: proxy }), undefined);
  assert.equal(judge(config, { headers }), missing, 'said by nobody whom we trust');
  assert.equal(judge(config, { certificate: orders, peer: proxy }), missing, 'the header counts alone');
  assert.equal(judge(config, { headers: { 'X-Cert': 'rubbish' }, peer: proxy }), missing);
  assert.match(
    judge(config, { headers: { 'X-Cert': encodeURIComponent(old.pem) }, peer: proxy }) ?? '',
    /AUTHENTICATION_REQUIRED/,
  );
});

test('names and OIDs that are none are refused with their path', () => {
  const { config } = catalog['ssl-enforcement'];
  const fault = (field: string, text: string) => config.safeParse({ [field]: [text] }).error?.issues[0]?.path;
  for (const field of ['whitelistClientCertificates', 'whitelistIssuers'])
    for (const text of ['', 'orders', 'CN', 'CN=a,b', '=a'])
      assert.deepEqual(fault(field, text), [field, 0], text);
  assert.deepEqual(fault('requiredCertificatePolicies', '1'), ['requiredCertificatePolicies', 0]);
  assert.deepEqual(fault('whitelistSubjectAlternativeNames', ''), ['whitelistSubjectAlternativeNames', 0]);
});
