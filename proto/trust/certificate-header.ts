/** Longest header with a certificate that is read. */
export const headerCharsMax = 16_384;

/**
 * The certificate of a header, in the spellings of the field:
 *
 * - PEM, percent-encoded: nginx `$ssl_client_escaped_cert`, AWS; form-encoded (`BEGIN+CERTIFICATE`); or with blanks for its line ends;
 * - base64 of DER: HAProxy `%[ssl_c_der,base64]`, Traefik; between colons as `Client-Cert` of RFC 9440;
 * - `Cert="..."` of Envoy's X-Forwarded-Client-Cert, when it has one element: of several nobody knows who wrote which.
 *
 * Of a chain the first counts: it is the client's. Bytes of DER. Errors: Error where there is none.
 */
export function certificateInHeader(text: string): Buffer {
  const quoted = /(?:^|;)cert="([^"]*)"/i.exec(text)?.[1];
  if (quoted !== undefined && text.replaceAll(/"[^"]*"/g, '').includes(','))
    throw new Error('several elements');
  const encoded = quoted ?? text;
  // Where a blank is a blank or %20, a plus is one of base64.
  const percent = encoded.includes('BEGIN+') ? encoded.replaceAll('+', ' ') : encoded;
  const plain = decodeURIComponent(percent);
  const base64 = (pemBlock.exec(plain) ?? bareBase64.exec(plain))?.[1];
  if (base64 === undefined) throw new Error('no certificate');
  return Buffer.from(base64, 'base64');
}

const pemBlock = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;
const bareBase64 = /^:?([A-Za-z0-9+/]+={0,2})(?::|,.*)?$/;
