import type { TokenClaims } from '../../../proto/trust/signed-token.ts';

/** How deep a path of claims goes. */
const depthMax = 16;

/**
 * A claim by its name or, where no claim has that name, by its path: `act.repository` is the claim `repository` in the claim `act`.
 * Undefined when there is none.
 */
export function claimOf(claims: TokenClaims, name: string): unknown {
  const own = ownOf(claims, name);
  if (own !== undefined || !name.includes('.')) return own;
  return name.split('.', depthMax).reduce<unknown>(ownOf, claims);
}

/** A claim that is a text; undefined for any other and for an empty one. */
export function textClaim(claims: TokenClaims, name: string): string | undefined {
  return textOf(claimOf(claims, name));
}

/** Which client a token was given to: by the claim that the plan names, else as the reference looks for it. */
export function clientIdOf(claims: TokenClaims, claim: string | undefined): string | undefined {
  if (claim !== undefined && claim !== '') return firstText(claimOf(claims, claim));
  return textClaim(claims, 'azp') ?? firstText(ownOf(claims, 'aud')) ?? textClaim(claims, 'client_id');
}

/** Which client an introspected token was given to. */
export function clientOfPayload(payload: TokenClaims): string | undefined {
  return textClaim(payload, 'client_id') ?? firstText(ownOf(payload, 'aud'));
}

/** The scopes of `scope` (a list, or a text with blanks), else of `scp`. */
export function scopesOf(claims: TokenClaims): readonly string[] {
  return scopeList(ownOf(claims, 'scope') ?? ownOf(claims, 'scp'), ' ');
}

/** Past it no more are read; whoever asks does not take so many. */
const scopesReadMax = 2_000;

/** Scopes as a list, or as a text in which they are separated. */
export function scopeList(value: unknown, separator: string): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value)
    ? value.slice(0, scopesReadMax)
    : typeof value === 'string'
      ? value.split(separator, scopesReadMax)
      : [];
  return all.filter((each) => typeof each === 'string').filter((each) => each !== '');
}

/** Says whether scopes are enough: all of the required ones, or any; nothing required is always enough. */
export function areEnough(
  scopes: readonly string[],
  {
    requiredScopes,
    modeStrict,
  }: { readonly requiredScopes: readonly string[]; readonly modeStrict: boolean },
): boolean {
  const has = (scope: string): boolean => scopes.includes(scope);
  return requiredScopes.length === 0 || (modeStrict ? requiredScopes.every(has) : requiredScopes.some(has));
}

function ownOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

const firstText = (value: unknown): string | undefined =>
  textOf(Array.isArray(value) ? (value as readonly unknown[])[0] : value);
