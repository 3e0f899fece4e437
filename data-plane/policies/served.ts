import type { ExpressionScope } from '../../proto/expression/scope.ts';
import type { ResourceUse } from '../../proto/resources/resource-schema.ts';
import type { CaptureMemory } from '../http/exchange.ts';

/** What a resource serves, as who names it for that finds it: one property of each resource (data-plane/resources). */
export interface Served extends Record<ResourceUse, unknown> {
  readonly introspection: Introspection;
  readonly cache: Cache;
  readonly authentication: Authentication;
  readonly userInfo: UserInfo;
  readonly content: Content;
}

/** A text that a definition has once, for whoever uses it. */
export interface Content {
  readonly text: string;
}

/** Asks an OpenID Connect server about the user of a token. */
export interface UserInfo {
  /** Never rejects. */
  ask(token: string): Promise<AskedUserInfo>;
}

/** What came of asking. */
export type AskedUserInfo =
  /** As JSON of an object. */
  | { readonly kind: 'known'; readonly text: string }
  /** Why, as JSON, where the server says so. */
  | { readonly kind: 'refused'; readonly text: string | undefined }
  /** Nobody knows. */
  | { readonly kind: 'unavailable' };

/** Asks whether a user's password is his. */
export interface Authentication {
  /** call: what expressions of the resource may read. At once where it can. Never rejects. */
  authenticate(credentials: Credentials, call: ExpressionScope): Authenticated | Promise<Authenticated>;
}

/** What a caller says of himself. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What came of asking. */
export type Authenticated =
  /** Attributes by name, as steps will find them under `user.<name>`. */
  | { readonly kind: 'known'; readonly user: string; readonly attributes: ReadonlyMap<string, unknown> }
  | { readonly kind: 'unknown' }
  /** Nobody knows. why: for the log, without anything of the credentials. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** Asks an authorization server. */
export interface Introspection {
  /** In the payload, the claim that names the user. */
  readonly userClaim: string;
  /** Between the scopes of a payload that are one text. */
  readonly scopeSeparator: string;
  /** Never rejects. */
  introspect(token: string, signal?: AbortSignal): Promise<Introspected>;
}

/** What came of asking. */
export type Introspected =
  /** As the server said it; `text` is the payload as JSON. */
  | { readonly kind: 'active'; readonly payload: Readonly<Record<string, unknown>>; readonly text: string }
  | { readonly kind: 'inactive' }
  /** Nobody knows: no answer, or none of 200. */
  | { readonly kind: 'unavailable' }
  /** An answer that nobody understands. */
  | { readonly kind: 'unclear' };

/** Values by key, for a time. No other API, environment or resource reads them. */
export interface Values {
  /** `unavailable`: nobody can say in time. Never rejects. */
  get(key: string): Kept | Promise<Kept>;
  /** Keeps a value, which nobody changes from then on, if there is room. Nobody waits for that; what waits itself is bounded. */
  set(key: string, value: Uint8Array, lifeMs: number): void;
}

/** What is there under a key. */
export type Kept = Uint8Array | 'nothing' | 'unavailable';

/** A cache, with what bounds whoever uses it. */
export interface Cache extends Values {
  /** Longest life of what it keeps; 0 says nothing. */
  readonly lifeMsMax: number;
  /** Largest value. */
  readonly bytesMax: number;
  /** Memory of what is on its way into caches of this process. */
  readonly captures: CaptureMemory;
  /** How long a request waits for another one that fetches the same. */
  readonly fetchWaitMsMax: number;
  /** Counts what came of looking. */
  count(found: Found): void;
}

/** `bypassed`: nobody looked. */
export type Found = 'hit' | 'miss' | 'bypassed' | 'unavailable';
