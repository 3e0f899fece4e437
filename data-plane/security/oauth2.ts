import { oauth2 as schema } from '../../proto/policies/oauth2.ts';
import { invariant } from '../../proto/faults/fault.ts';
import { createRefuse } from '../policies/refuse.ts';
import type { Introspected, Introspection } from '../policies/served.ts';
import {
  type Admission,
  type AskedPlan,
  isChosen,
  type Knock,
  passed,
  type PlanSecurity,
  type RefusedAdmission,
  type SecurityKind,
} from './security.ts';
import { hideToken, presentedToken } from './tokens/bearer.ts';
import { areEnough, clientOfPayload, scopeList, textClaim } from './tokens/claims.ts';
import { hash8Of, SeenTokens, textBytes } from './tokens/seen-tokens.ts';

/** What a server says of a token that is good. */
interface KnownToken {
  readonly token: string;
  /** As JSON: a text takes what it is long, where a server could make objects of it that take twenty times as much. */
  readonly payload: string;
  readonly user: string | undefined;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Wall clock. */
  readonly expiresAtMs: number | undefined;
}

const make = createRefuse(schema.errors);
const headers = [['WWW-Authenticate', 'Bearer realm="gravitee.io"']] as const;
/** Without a challenge: all plans' are added where nobody lets in. */
const missing = make('OAUTH2_MISSING_ACCESS_TOKEN');
const invalid = make('OAUTH2_INVALID_ACCESS_TOKEN');
const refusals = {
  inactive: invalid,
  unavailable: make('OAUTH2_SERVER_UNAVAILABLE'),
  unclear: make('OAUTH2_INVALID_SERVER_RESPONSE'),
};
const insufficient = make('OAUTH2_INSUFFICIENT_SCOPE', { headers });

/** A token that an authorization server is asked about. */
export const oauth2: SecurityKind<'oauth2'> = {
  order: 100,
  recordedAs: 'OAUTH2',
  isOpen: false,
  challenge: 'Bearer',
  create(config, { resources, tokensSeenMax, tokenMemory }): PlanSecurity<string, KnownToken> {
    const introspection = resources.get(config.oauthResource)?.introspection;
    invariant(introspection !== undefined, 'resources of plans are judged when a definition is read');
    const seen =
      config.oauthCacheResource === '' ? undefined : new SeenTokens<KnownToken>(tokensSeenMax, tokenMemory);
    // The resource says how long at most; the tokens themselves stand in no cache.
    const { lifeMsMax = 0 } = resources.get(config.oauthCacheResource)?.cache ?? {};
    const enter = <Plan extends AskedPlan>(
      known: KnownToken,
      plan: Plan,
      knock: Knock,
    ): Admission<Plan, KnownToken> => {
      const { token, clientId, scopes } = known;
      const { api, subscriptions, nowMs } = knock;
      if (!isChosen(plan, knock, () => attributesOf(known, true))) return passed;
      const keyHash8 = hash8Of(token);
      const subscription = subscriptions.ofClient({ api, plan: plan.id, clientId }, nowMs);
      if (subscription === undefined) return refused('inactive', keyHash8);
      if (config.checkRequiredScopes && !areEnough(scopes, config))
        return { kind: 'refused', refusal: insufficient, keyHash8, isFinal: true };
      return { kind: 'admitted', plan, subscription, proof: known, keyHash8 };
    };
    return {
      refusals: { missing, invalid },
      present: presentedToken,
      admit(token, plan, knock) {
        if (token === '' || token.length > tokenCharsMax) return refused('inactive', undefined);
        const known = seen?.find(token, knock.nowMs);
        if (known !== undefined) return enter(known, plan, knock);
        return introspection.introspect(token).then((said) => {
          const told = tell(token, said, { introspection, nowMs: knock.nowMs });
          if (typeof told === 'string') return refused(told, hash8Of(token));
          const untilMs = Math.min(
            told.expiresAtMs ?? Infinity,
            lifeMsMax === 0 ? Infinity : knock.nowMs + lifeMsMax,
          );
          if (untilMs < Infinity) seen?.set(token, { known: told, untilMs, bytes: bytesOf(told) });
          return enter(told, plan, knock);
        });
      },
      review({ expiresAtMs = Infinity }, { nowMs }) {
        return nowMs < expiresAtMs ? expiresAtMs : { reason: 'the token has expired', errorKey: invalid.key };
      },
      attributes: (known) => attributesOf(known, config.extractPayload),
      ...(!config.propagateAuthHeader && {
        hide: hideToken,
      }),
      release: () => seen?.release(),
    };
  },
};

/** Longest token that a server is asked about. */
const tokenCharsMax = 16_384;

/** What an answer makes of a token: what is known of it, or why nothing is. A time that is none, or over, makes it invalid. */
function tell(
  token: string,
  said: Introspected,
  { introspection, nowMs }: { readonly introspection: Introspection; readonly nowMs: number },
): KnownToken | Exclude<Introspected['kind'], 'active'> {
  if (said.kind !== 'active') return said.kind;
  const { payload, text } = said;
  const { exp, nbf } = payload;
  const areTimes = [exp, nbf].every((time) => time === undefined || time === null || Number.isFinite(time));
  const expiresAtMs = typeof exp === 'number' ? exp * 1_000 : undefined;
  const isInTime =
    (expiresAtMs === undefined || nowMs < expiresAtMs) &&
    (typeof nbf !== 'number' || nowMs >= nbf * 1_000 - skewMs);
  const clientId = clientOfPayload(payload);
  if (!areTimes || !isInTime || clientId === undefined) return 'inactive';
  const scopes = scopeList(payload['scope'], introspection.scopeSeparator);
  if (scopes.length > scopesMax) return 'unclear';
  return {
    token,
    payload: text,
    user: textClaim(payload, introspection.userClaim),
    clientId,
    scopes,
    expiresAtMs,
  };
}

/** Most scopes of a token; a server that says more of them does not mean them. */
const scopesMax = 1_000;

/** How far the clocks of a server and ours may be apart. */
const skewMs = 60_000;

function* attributesOf(
  { token, payload, user, clientId, scopes }: KnownToken,
  withPayload: boolean,
): Iterable<readonly [name: string, value: unknown]> {
  yield ['oauth.access_token', token];
  yield ['oauth.client_id', clientId];
  yield ['user', user];
  yield ['user.roles', scopes];
  if (withPayload) yield ['oauth.payload', payload];
}

/** What is kept of a token, nearly. */
function bytesOf({ token, payload, user = '', clientId, scopes }: KnownToken): number {
  const ofScopes = scopes.reduce((sum, scope) => sum + textBytes(scope), 0);
  return textBytes(token) + textBytes(payload) + textBytes(user) + textBytes(clientId) + ofScopes;
}

function refused(why: keyof typeof refusals, keyHash8: string | undefined): RefusedAdmission {
  return { kind: 'refused', refusal: refusals[why], keyHash8, isFinal: false };
}
