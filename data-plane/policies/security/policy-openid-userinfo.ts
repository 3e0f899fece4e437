import type { AskedUserInfo } from '../served.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from '../policy.ts';

/** Longest token that a server is asked about. */
const tokenCharsMax = 16_384;

/** Asks whose token it is. */
export const openidUserinfo: PolicyFactory<'policy-openid-userinfo'> = (config, { refuse, host, place }) => {
  const at = `${place.at}.configuration.oauthResource`;
  const userInfo = host.resource('userInfo', config.oauthResource, at);
  const challenged = (more: string, text?: string) =>
    refuse('OPENID_USERINFO_UNAUTHORIZED', {
      headers: [['WWW-Authenticate', `Bearer realm="gravitee.io"${more}`]],
      // What the server says of the token its caller may know, as in the reference.
      ...(text !== undefined && { content: { type: 'application/json', body: text } }),
    });
  const missing = challenged('');
  const invalid = (text?: string) => challenged(', error="invalid_token"', text);
  const unavailable = refuse('OPENID_USERINFO_UNAVAILABLE');
  const judge = (call: PolicyCall, token: string, said: AskedUserInfo): Verdict => {
    if (said.kind === 'unavailable') return unavailable;
    if (said.kind === 'refused') return invalid(said.text);
    call.attributes.set('oauth.access_token', token);
    if (config.extractPayload) call.attributes.set('openid.userinfo.payload', said.text);
    return CONTINUE;
  };
  return {
    request: {
      needs: 'head',
      run(call: PolicyCall) {
        const [header = '', another] = call.request.headers.getAll('authorization');
        const [, token] = /^bearer +([\w.~+/-]+=*)$/i.exec(header) ?? [];
        if (token === undefined || another !== undefined) return missing;
        if (token.length > tokenCharsMax) return invalid();
        return userInfo.ask(token).then((said) => judge(call, token, said));
      },
    },
  };
};
