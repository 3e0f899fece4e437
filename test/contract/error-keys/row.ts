import type { PolicyId } from '../../../proto/policies/catalog.ts';
import type { CallOptions, Answer } from '../../kit/gateway/gateway.ts';

/** What a backend answers. */
export interface BackendSays {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A step, by its policy. */
export type RowStep = readonly [policy: PolicyId, configuration: object];

/**
 * How a caller meets one error key: an API, and a call of it that the key answers.
 *
 * Texts: in what a definition says, `http://backend.example:8080` is the backend of this row, and so are its resources.
 */
export interface KeyRow {
  readonly policy: PolicyId;
  readonly key: string;
  /** The phase whose status is asked. Default: request. */
  readonly phase?: 'request' | 'response';
  /** Steps of the phase. */
  readonly steps?: readonly RowStep[];
  /** Of its plan. Default: keyless. */
  readonly security?: { readonly type: string; readonly configuration?: object };
  readonly definition?: Readonly<Record<string, unknown>>;
  /** Of whichever path; `silent` answers nothing. Default: 200 with `hello`. */
  readonly backend?: BackendSays | 'silent';
  readonly call?: CallOptions & { readonly path?: string };
  /** What is called until the key answers, which one of the answers has to be. Default: one call. */
  raise?(send: () => Promise<Answer>): Promise<readonly Answer[]>;
  /** Which gateway serves it. Default: usual. */
  readonly gateway?: 'usual' | 'counters gone' | 'one thread' | 'terminated';
}

/** What one step answers. */
// oxlint-disable-next-line max-params -- a row of a table
export const step = (
  policy: RowStep[0],
  key: string,
  configuration: object,
  more: Partial<KeyRow> = {},
): KeyRow => ({
  policy,
  key,
  steps: [[policy, configuration]],
  ...more,
});

/** The answers of some calls at once. */
export const amongMany =
  (count: number) =>
  (send: () => Promise<Answer>): Promise<readonly Answer[]> =>
    Promise.all(Array.from({ length: count }, send));

/** The answer of the call behind the first. */
export const second = async (send: () => Promise<Answer>): Promise<readonly Answer[]> => {
  await send();
  return [await send()];
};

/** An expression that fails whenever it is evaluated. */
export const failing = "{#request.headers['X-Nobody'][0]}";

/** One call, where the others of a family need more. */
export const once = async (send: () => Promise<Answer>): Promise<readonly Answer[]> => [await send()];

/** What many bodies say of themselves. */
export const asJson = { 'Content-Type': 'application/json' };

/** The port of the protocol "discard". */
export const nobodyListens = 'http://127.0.0.1:9';
