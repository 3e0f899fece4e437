import { reasons } from '../../../proto/process/listening/node-http.ts';

/**
 * The answer to what the engine itself refuses: the status, its phrase as text, and the end of the connection. An answer to HEAD has no
 * text (RFC 9110 section 9.3.2).
 */
export function refusalAnswer(status: number, dateLine: string, isHead = false): string {
  const phrase = reasons[status] ?? 'Refused';
  const retry = status === 503 ? 'Retry-After: 1\r\n' : '';
  return `HTTP/1.1 ${status} ${phrase}\r\n${dateLine}${retry}Content-Type: text/plain\r\nContent-Length: ${phrase.length}\r\nConnection: close\r\n\r\n${isHead ? '' : phrase}`;
}

/** The answer to a request in clear text at a port that speaks TLS, in the words by which people look for it. */
export function plainHttpAnswer(dateLine: string): string {
  const text = 'The plain HTTP request was sent to HTTPS port';
  return `HTTP/1.1 400 Bad Request\r\n${dateLine}Content-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
}
