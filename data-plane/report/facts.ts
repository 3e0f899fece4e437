import type { StepList } from '../../proto/model/records/step-list.ts';

/** What is the same for every request of one subscription (or one API, without one); becomes the line's static prefix. */
export interface RecordPrefix {
  readonly organization: string;
  readonly environment: string;
  readonly api: string;
  readonly apiName: string;
  readonly apiRevision?: number | undefined;
  /** Sequence number of the published record. */
  readonly seq?: number | undefined;
  readonly plan?: string | undefined;
  readonly application?: string | undefined;
  readonly subscription?: string | undefined;
  /** API_KEY, KEY_LESS ... */
  readonly securityType?: string | undefined;
  readonly entrypoint?: string | undefined;
}

/** What is known of one request when its answer ends. Flat and always with all fields, so that it has one hidden class. */
export interface AccessFacts {
  /** When the request's head was complete, ms since the epoch. */
  readonly timestampMs: number;
  readonly requestId: string;
  readonly transactionId: string;
  /** First 8 hex digits of the presented key's hash; never the key. */
  readonly keyHash8: string | undefined;
  readonly method: string;
  readonly host: string;
  /** Path and query as they came; keys are masked where the line is written. */
  readonly uri: string;
  readonly pathInfo: string | undefined;
  readonly mappedPath: string | undefined;
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly totalUs: number;
  /** URL or name of the endpoint that was called; undefined when none was. */
  readonly endpoint: string | undefined;
  /** From asking for a connection to the answer's last byte. */
  readonly endpointUs: number;
  readonly endpointConnectUs: number;
  /** From asking for a connection to the answer's head. */
  readonly endpointTtfbUs: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly userAgent: string | undefined;
  readonly errorKey: string | undefined;
  readonly errorMessage: string | undefined;
  /** JSON list of {key, message}. */
  readonly warnings: string | undefined;
  /** Set by steps; bounded where they are set. */
  readonly customMetrics: ReadonlyMap<string, string> | undefined;
  /** What it went through; undefined where nobody wants to know. */
  readonly steps: StepList | undefined;
  readonly outcome: 'complete' | 'clientAborted' | 'upstreamAborted' | 'refused';
}
