import { readAuthorization } from '../../../proto/trust/authorization.ts';
import type { HeaderList } from '../../http/exchange.ts';
import type { PolicyRequest } from '../../policies/policy.ts';
import { withoutKey } from '../key-places.ts';
import type { PresentingRequest } from '../security.ts';

const parameter = 'access_token';

/**
 * The bearer token that a request presents: of its Authorization, else of the query (RFC 6750 sections 2.1 and 2.3). '' for an empty one, and
 * for several in the query that differ; undefined for none.
 */
export function presentedToken({ headers, query }: PresentingRequest): string | undefined {
  const inHeader = tokenInHeader(headers);
  if (inHeader !== undefined || query?.includes(parameter) !== true) return inHeader;
  const [first, ...others] = new URLSearchParams(query).getAll(parameter);
  return others.every((other) => other === first) ? first?.trim() : '';
}

/** Takes the token away from where {@link presentedToken} found it, so that the backend sees none; a parameter beside a header is the backend's own. */
export function hideToken(request: Pick<PolicyRequest, 'headers' | 'query'>): void {
  if (tokenInHeader(request.headers) === undefined)
    request.query = withoutKey(request.headers, request.query, { header: '', parameter });
  request.headers.delete('authorization');
}

/** Says whether a request carries a bearer token, an empty one too; an empty or Basic Authorization is none. */
export function hasBearer(headers: HeaderList): boolean {
  return readAuthorization(headers.get('authorization'))?.scheme === 'bearer';
}

/** The bearer token of an Authorization, '' for an empty one; undefined for none. */
export function tokenInHeader(headers: HeaderList): string | undefined {
  const authorization = headers.get('authorization');
  if (authorization === undefined) return undefined;
  // The spelling of nearly everybody costs a comparison and a slice.
  if (authorization.startsWith('Bearer ')) return authorization.slice(7).trim();
  const read = readAuthorization(authorization);
  return read?.scheme === 'bearer' ? read.credentials : undefined;
}
