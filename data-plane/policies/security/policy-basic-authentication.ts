import type { Authenticated, Credentials } from '../served.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from '../policy.ts';

/** Longest credentials that are read: base64 of name and password. */
const credentialCharsMax = 8_192;

/** Asks resources whether a user's password is his, one after another. */
export const basicAuthentication: PolicyFactory<'policy-basic-authentication'> = (
  { authenticationProviders, realm },
  { refuse, host, place },
) => {
  const providers = authenticationProviders.map((name, index) =>
    host.resource('authentication', name, `${place.at}.configuration.authenticationProviders[${index}]`),
  );
  const quoted = realm.replaceAll(/["\\]/g, String.raw`\$&`);
  const challenge = ['WWW-Authenticate', `Basic realm="${quoted}", charset="UTF-8"`] as const;
  const unauthorized = refuse('BASIC_AUTHENTICATION_UNAUTHORIZED', { headers: [challenge] });
  const unavailable = refuse('BASIC_AUTHENTICATION_UNAVAILABLE');
  const enter = (
    call: PolicyCall,
    { user, attributes }: Extract<Authenticated, { kind: 'known' }>,
  ): Verdict => {
    call.attributes.set('user', user);
    for (const [name, value] of attributes) call.attributes.set(`user.${name}`, value);
    return CONTINUE;
  };
  const askFrom = (
    call: PolicyCall,
    credentials: Credentials,
    from: { readonly index: number; readonly isKnown: boolean },
  ): Verdict | Promise<Verdict> => {
    const provider = providers[from.index];
    if (provider === undefined) return from.isKnown ? unauthorized : unavailable;
    const judge = (said: Authenticated): Verdict | Promise<Verdict> => {
      if (said.kind === 'known') return enter(call, said);
      if (said.kind === 'unavailable') call.warn('AUTHENTICATION_PROVIDER_UNAVAILABLE', said.why);
      const isKnown = from.isKnown && said.kind === 'unknown';
      return askFrom(call, credentials, { index: from.index + 1, isKnown });
    };
    const said = provider.authenticate(credentials, call);
    return said instanceof Promise ? said.then(judge) : judge(said);
  };
  return {
    request: {
      needs: 'head',
      run(call: PolicyCall) {
        const credentials = credentialsOf(call);
        return credentials === undefined
          ? unauthorized
          : askFrom(call, credentials, { index: 0, isKnown: true });
      },
    },
  };
};

/** Undefined for none, for two, and for what has no name or no password. */
function credentialsOf({ request }: PolicyCall): Credentials | undefined {
  const [header = '', another] = request.headers.getAll('authorization');
  const [, text] = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(header) ?? [];
  if (text === undefined || another !== undefined || text.length > credentialCharsMax) return undefined;
  const plain = Buffer.from(text, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  // RFC 7617 section 2: neither holds control characters.
  if (colon < 1 || /\p{Cc}/u.test(plain)) return undefined;
  return { username: plain.slice(0, colon), password: plain.slice(colon + 1) };
}
