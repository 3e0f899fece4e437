import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';

import type { CertificatePair } from '../kit/servers/certificates.ts';
import type { Send, Version } from './row.ts';

/** An answer; status 0 where there was none. */
export interface Answer {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const none: Answer = { status: 0, reason: undefined, headers: {}, text: '' };

/** Asks a gateway in one version: HTTP/1.1 on a connection per request, HTTP/2 on one per certificate. */
export class Caller {
  readonly version: Version;
  readonly #port: number;
  readonly #isTls: boolean;
  readonly #sessions = new Map<CertificatePair | undefined, ClientHttp2Session>();

  constructor(version: Version, port: number, isTls: boolean) {
    this.version = version;
    this.#port = port;
    this.#isTls = isTls;
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }

  call(path: string, send: Send): Promise<Answer> {
    const headers = Object.fromEntries(
      Object.entries(send.headers ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : [...value],
      ]),
    );
    return this.version === '2'
      ? this.#callHttp2(path, headers, send)
      : this.#callHttp11(path, headers, send);
  }

  #callHttp11(path: string, headers: Record<string, string | string[]>, send: Send): Promise<Answer> {
    const { method = 'GET', body, certificate, goneAfterMs } = send;
    const at = { host: '127.0.0.1', port: this.#port, path, method, headers, agent: false as const };
    return new Promise((resolve) => {
      const asked = this.#isTls
        ? httpsRequest({ ...at, ...certificate, rejectUnauthorized: false })
        : httpRequest(at);
      asked.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', () => resolve(none));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            reason: response.statusMessage,
            headers: response.headers,
            text: Buffer.concat(parts).toString('utf8'),
          }),
        );
      });
      asked.on('error', () => resolve(none));
      asked.end(body);
      if (goneAfterMs !== undefined) setTimeout(() => asked.destroy(), goneAfterMs);
    });
  }

  #callHttp2(path: string, headers: Record<string, string | string[]>, send: Send): Promise<Answer> {
    const { method = 'GET', body, goneAfterMs } = send;
    const fields = Object.entries(headers).map(([name, value]) => [
      name.toLowerCase() === 'host' ? ':authority' : name,
      value,
    ]);
    return new Promise((resolve) => {
      const stream = this.#sessionFor(send.certificate).request(
        { ':method': method, ':path': path, ...(Object.fromEntries(fields) as Record<string, string>) },
        { endStream: body === undefined },
      );
      let answer = none;
      const parts: Buffer[] = [];
      stream.on('response', ({ ':status': status = 0, ...rest }) => {
        answer = { ...none, status: Number(status), headers: rest };
      });
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('error', () => undefined);
      stream.on('close', () =>
        resolve(stream.rstCode === 0 ? { ...answer, text: Buffer.concat(parts).toString('utf8') } : none),
      );
      if (body !== undefined) stream.end(body);
      if (goneAfterMs !== undefined) setTimeout(() => stream.close(8), goneAfterMs);
    });
  }

  #sessionFor(certificate: CertificatePair | undefined): ClientHttp2Session {
    const before = this.#sessions.get(certificate);
    if (before !== undefined && !before.closed && !before.destroyed) return before;
    const scheme = this.#isTls ? 'https' : 'http';
    const session = connect(`${scheme}://127.0.0.1:${this.#port}`, {
      ...certificate,
      rejectUnauthorized: false,
    });
    session.on('error', () => undefined);
    this.#sessions.set(certificate, session);
    return session;
  }
}
