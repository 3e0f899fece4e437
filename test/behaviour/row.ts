import type { CertificatePair } from '../kit/servers/certificates.ts';

export type Json = Readonly<Record<string, unknown>>;
export type Version = '1.1' | '2';

/** What a caller sends. */
export interface Send {
  readonly method?: string;
  /** Below the API's context path; what begins with `=` is sent as it is. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** The certificate that is shown, of a subject whose gateway speaks TLS. */
  readonly certificate?: CertificatePair;
  /** What the backends answer to it, where that is not what the row says. */
  readonly backend?: BackendAnswer | readonly BackendAnswer[];
  /** Id of the server that is asked, of a gateway that has several. Default: the first. */
  readonly server?: string;
  /** Goes away so many ms later. */
  readonly goneAfterMs?: number;
}

/** What a backend answers; 200 with an empty body where nothing is said. */
export interface BackendAnswer {
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Cuts the connection before it answers. */
  readonly isCut?: boolean;
  /** Answers so many ms later. */
  readonly afterMs?: number;
}

export type HeaderExpectation = string | RegExp | undefined | readonly string[];

/** What reached a backend; `undefined` for a header says that it is not there. */
export interface Asked {
  readonly method?: string;
  readonly url?: string | RegExp;
  readonly headers?: Readonly<Record<string, HeaderExpectation>>;
  readonly body?: string | RegExp;
  /** Which of the row's backends: by its index in `targets`. */
  readonly backend?: number | 'http2' | 'tls';
  readonly version?: '1.1' | '2.0';
  /** The common name of the certificate that the gateway showed. */
  readonly certificate?: string | undefined;
}

/** What a caller gets. */
export interface Got {
  /** 0 where the connection or the stream ended before an answer. */
  readonly status?: number;
  /** Of requests at once, in ascending order. */
  readonly statuses?: readonly number[];
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, HeaderExpectation>>;
  readonly body?: string | RegExp | Json | readonly unknown[];
  /** What reached the backends for it, in order; `false` for nothing. */
  readonly asked?: Asked | readonly Asked[] | false;
  /** What the access record says, of a subject whose gateway records. */
  readonly record?: Json;
  /** What the log line says; `false` that there is none. */
  readonly log?: Json | false;
  /** It comes so after a while: the caller asks until then. */
  readonly isAwaited?: boolean;
}

/** The same API asked several times; a list is sent at once. */
export type Exchange = readonly [send: Send | readonly Send[], got: Got];

/** What a row may speak of. */
export interface RowPlace {
  /** The API's id, and its context path without the slash. */
  readonly id: string;
  /** URLs of three backends; nobody listens at the fourth. */
  readonly targets: readonly [string, string, string, string];
  /** The URL of a backend that speaks HTTP/2 in clear text, and of one that speaks both versions over TLS. */
  readonly http2: string;
  readonly tls: string;
  /** Port of a CONNECT proxy. */
  readonly proxyPort: number;
  /** The URL of a Consul: its service `pair` is the second and the third of those backends, `one` the second, `below` the second at the path /v1; `nobody` has no instance. */
  readonly consul: string;
  /** The URL of a backend for health checks: it says what it was asked, and `?fails=n` fails the first so many. */
  readonly checked: string;
  /** What that TLS backend's certificate, which is for 127.0.0.1 alone, was issued by, and one for the gateway to show: `CN=gateway`. */
  readonly trust: Trust;
}

/** Certificates of a stage. */
export interface Trust {
  readonly ca: string;
  readonly backend: CertificatePair;
  readonly gateway: CertificatePair;
  /** PKCS12 in base64, and what opens them. */
  readonly trustStore: string;
  readonly keyStore: string;
  readonly password: string;
  /** The same as files; certificate and key are the gateway's. */
  readonly files: Readonly<Record<'ca' | 'cert' | 'key' | 'trustStore' | 'keyStore', string>>;
}

/** One sentence about how an API behaves, with a definition and exchanges that show it. */
export interface Row {
  readonly says: string;
  /** Fields of the definition beside the plain one: a keyless API with one endpoint. */
  readonly api?: Json | ((place: RowPlace) => Json);
  /** The whole file instead, as text or as JSON. */
  readonly file?: (place: RowPlace) => Json | string;
  readonly subscriptions?: readonly Json[];
  /** What the backends answer, in the order of their calls; the last one goes on. */
  readonly backend?: BackendAnswer | readonly BackendAnswer[];
  /** What the gateway says where it does not take the definition. */
  readonly refused?: RegExp;
  /** Each row is played over HTTP/1.1 and over HTTP/2, but for those that say which one, and why. */
  readonly over?: { readonly version: Version; readonly because: string };
  readonly exchanges: Exchange | readonly Exchange[];
}

/** Rows that belong together. */
export interface Subject {
  readonly name: string;
  readonly rows: readonly Row[];
  /** A gateway of its own, for rows that the usual one cannot play; subjects with the same words share one. */
  readonly gateway?: GatewayOf;
}

/** What is special about a gateway. */
export interface GatewayOf {
  readonly config?: Json;
  /** Beside the subscriptions in `isthmus.json`: dictionaries, organization flows ... */
  readonly tables?: Json;
  /** Speaks TLS, and asks for certificates as it says. */
  readonly clientAuth?: 'none' | 'request';
  readonly isRecording?: boolean;
}
