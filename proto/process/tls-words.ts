/**
 * What the runtime says of a certificate, without its advice: a flag of Node is none of our settings, and the hint of the fault names
 * the one that helps.
 */
export const withoutRuntimeHint = (message: string): string =>
  message.replace(/; if the root CA is installed locally.*$/s, '');

/** Whether a code of the runtime speaks of TLS: a certificate that is not trusted, a name that is another, a handshake that fails. */
export const isTlsCode = (code: string): boolean =>
  /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|INVALID_CA|HOSTNAME_)/.test(code);
