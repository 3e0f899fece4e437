/** An Authorization header, taken apart. */
export interface Authorization {
  /** In lower case, e.g. `bearer`. */
  readonly scheme: string;
  /** All that follows the blanks behind the scheme; '' for a bare scheme. */
  readonly credentials: string;
}

/**
 * Takes an Authorization header apart: a scheme of any case, one or more blanks, credentials (RFC 9110 section 11.4).
 *
 * Returns undefined for an absent or empty header; browsers and proxies send the latter.
 */
export function readAuthorization(header: string | undefined): Authorization | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const end = text.indexOf(' ');
  if (end === -1) return { scheme: text.toLowerCase(), credentials: '' };
  return { scheme: text.slice(0, end).toLowerCase(), credentials: text.slice(end).trimStart() };
}
