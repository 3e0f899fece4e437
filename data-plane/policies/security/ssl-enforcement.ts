import { X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';

import { globMatches } from '../../../proto/policies/security/ant-path.ts';
import {
  type CertificateFacts,
  type NamePart,
  readCertificateFacts,
  readDistinguishedName,
} from '../../../proto/trust/certificate-facts.ts';
import { certificateInHeader, headerCharsMax } from '../../../proto/trust/certificate-header.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type PolicyHost, type Verdict } from '../policy.ts';

/** A certificate that a client has shown. */
interface Shown {
  /** PEM of the handshake, or as the header has it. */
  readonly text: string;
  readonly place: 'handshake' | 'header';
  /** An authority stands behind what it says. */
  readonly isVouchedFor: boolean;
}

/** ... and what stands in it. */
interface Read {
  readonly facts: CertificateFacts;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Certificates that are known without reading them again. */
const readMax = 200;

/** Refuses who comes without TLS, or without a certificate that fits. */
export const sslEnforcement: PolicyFactory<'ssl-enforcement'> = (config, { refuse, host }) => {
  const sslRequired = refuse('SSL_ENFORCEMENT_SSL_REQUIRED');
  const authenticationRequired = refuse('SSL_ENFORCEMENT_AUTHENTICATION_REQUIRED');
  const subjects = config.whitelistClientCertificates.map(nameOf);
  const issuers = config.whitelistIssuers.map(nameOf);
  const { requiredCertificatePolicies: policies } = config;
  const alternatives = config.whitelistSubjectAlternativeNames.map((name) => name.toLowerCase());
  const asksMore = [subjects, issuers, policies, alternatives].some((list) => list.length > 0);
  const read = reader();
  const judge = ({ subject, issuer, ...facts }: CertificateFacts): Verdict => {
    if (subjects.length > 0 && !subjects.some((name) => isName(name, subject)))
      return refuse('SSL_ENFORCEMENT_CLIENT_FORBIDDEN', { parameters: { name: written(subject) } });
    if (issuers.length > 0 && !issuers.some((name) => isName(name, issuer)))
      return refuse('SSL_ENFORCEMENT_ISSUER_MISMATCH', { parameters: { issuer: written(issuer) } });
    if (!policies.every((oid) => facts.policies.includes(oid)))
      return refuse('SSL_ENFORCEMENT_OID_MISMATCH', { parameters: { required: policies.join(', ') } });
    const names = facts.alternativeNames.map((name) => name.toLowerCase());
    if (
      alternatives.length > 0 &&
      !names.some((name) => alternatives.some((glob) => globMatches(glob, name)))
    )
      return refuse('SSL_ENFORCEMENT_SAN_MISMATCH', {
        parameters: { whitelist: config.whitelistSubjectAlternativeNames.join(', ') },
      });
    return CONTINUE;
  };
  return {
    request: {
      needs: 'head',
      run(call: PolicyCall) {
        const isTls = call.request.scheme === 'https' || (config.useXForwardedProto && saysTls(call, host));
        if (!isTls) return config.requiresSsl ? sslRequired : CONTINUE;
        if (!config.requiresClientAuthentication) return CONTINUE;
        const shown =
          config.certificateLocation === 'SESSION'
            ? ofHandshake(call)
            : ofHeader(call, host, config.certificateHeaderName.toLowerCase());
        const certificate = shown === undefined ? undefined : read(shown);
        if (shown === undefined || certificate === undefined) return authenticationRequired;
        const nowMs = call.startedAtMs;
        if (nowMs < certificate.validFromMs || nowMs > certificate.validToMs) return authenticationRequired;
        if (!asksMore) return CONTINUE;
        return shown.isVouchedFor ? judge(certificate.facts) : authenticationRequired;
      },
    },
  };
};

/** Whether a proxy of ours says that its client came over TLS; where there are several, all of them. */
function saysTls({ request, connection }: PolicyCall, { ground }: PolicyHost): boolean {
  if (!ground.isTrustedPeer(connection.remoteAddress)) return false;
  const said = request.headers.getAll('x-forwarded-proto').join(',').split(',');
  const protocols = said.map((each) => each.trim().toLowerCase());
  if (protocols.every((each) => each === 'https')) return true;
  // The last element is our own, and the others are what came (RFC 7239 section 4).
  const hops = request.headers.getAll('forwarded').join(',').split(',').slice(0, -1);
  return hops.length > 0 && hops.every((hop) => /(?:^|;)\s*proto="?https"?\s*(?:;|$)/i.test(hop));
}

function ofHandshake({ connection }: PolicyCall): Shown | undefined {
  const { clientCertificate: shown } = connection;
  if (shown === undefined) return undefined;
  return { text: shown.pem, place: 'handshake', isVouchedFor: shown.isVerified };
}

/** Of anybody but a proxy of ours it counts for nothing, and of two nobody knows which is meant. */
function ofHeader(
  { request, connection }: PolicyCall,
  { ground }: PolicyHost,
  name: string,
): Shown | undefined {
  if (!ground.isTrustedPeer(connection.remoteAddress)) return undefined;
  const [text = '', another] = request.headers.getAll(name);
  if (text === '' || another !== undefined || text.length > headerCharsMax) return undefined;
  return { text, place: 'header', isVouchedFor: true };
}

/** Reads certificates, each once as long as it is remembered; undefined for what is none. */
function reader(): (shown: Shown) => Read | undefined {
  const known = new LRUCache<string, Read>({ max: readMax });
  return ({ text, place }) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    try {
      const certificate = new X509Certificate(place === 'header' ? certificateInHeader(text) : text);
      const made = {
        facts: readCertificateFacts(certificate.raw),
        validFromMs: certificate.validFromDate.getTime(),
        validToMs: certificate.validToDate.getTime(),
      };
      known.set(text, made);
      return made;
    } catch {
      return undefined;
    }
  };
}

const nameOf = (text: string): readonly NamePart[] => readDistinguishedName(text) ?? [];

/** Whether a name is what a pattern says: as many parts, each of which takes one of the name's, in any order. */
function isName(pattern: readonly NamePart[], name: readonly NamePart[]): boolean {
  if (pattern.length !== name.length) return false;
  const left = [...name];
  // What is written down goes first, so that a wild card takes no part that is named.
  const inOrder = pattern.toSorted(
    ([, one], [, other]) => Number(/[*?]/.test(one)) - Number(/[*?]/.test(other)),
  );
  return inOrder.every(([type, glob]) => {
    const at = left.findIndex(([of, value]) => of === type && globMatches(glob, value));
    if (at !== -1) left.splice(at, 1);
    return at !== -1;
  });
}

const written = (name: readonly NamePart[]): string =>
  name.map(([type, value]) => `${type}=${value}`).join(', ');
