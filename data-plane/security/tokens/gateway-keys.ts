import { readFileSync } from 'node:fs';

import { Fault } from '../../../proto/faults/fault.ts';
import { systemWords } from '../../../proto/process/system-words.ts';
import {
  readTokenKey,
  type TokenAlgorithm,
  tokenAlgorithms,
  type TokenKey,
} from '../../../proto/trust/token-keys.ts';

/** A key of the gateway's settings. */
export interface GatewayKeySetting {
  readonly issuer: string;
  readonly kid: string;
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** Keys of tokens by the name of their issuer and their own; what a token says finds an entry of this list or nothing. */
export class GatewayKeys {
  readonly #texts: ReadonlyMap<string, string>;

  /** Errors: config.invalid with the setting, for a key that no algorithm can use. */
  constructor(settings: readonly GatewayKeySetting[]) {
    this.#texts = new Map(
      settings.map((setting, index) => [
        idOf(setting.issuer, setting.kid),
        textOf(setting, `jwt.keys[${index}]`),
      ]),
    );
  }

  /** Those that verify an algorithm. */
  of(algorithm: TokenAlgorithm): (issuer: string, kid: string | undefined) => readonly TokenKey[] {
    const keys = new Map(
      [...this.#texts].flatMap(([id, text]) => {
        const key = attempt(() => readTokenKey(text, algorithm));
        return typeof key === 'string' ? [] : [[id, [key]] as const];
      }),
    );
    return (issuer, kid = 'default') => keys.get(idOf(issuer, kid)) ?? [];
  }
}

const idOf = (issuer: string, kid: string): string => `${issuer}\0${kid}`;

function textOf({ key, keyFile }: GatewayKeySetting, setting: string): string {
  const text = key ?? readFile(keyFile ?? '', `${setting}.keyFile`);
  const tried = tokenAlgorithms.map((algorithm) => attempt(() => readTokenKey(text, algorithm)));
  const [why] = tried;
  if (typeof why === 'string' && tried.every((each) => typeof each === 'string'))
    throw invalid(`${setting}.${key === undefined ? 'keyFile' : 'key'}`, why);
  return text;
}

function readFile(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(setting, systemWords(error));
  }
}

function attempt<Made>(make: () => Made): Made | string {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const invalid = (path: string, message: string): Fault =>
  new Fault('config.invalid', { details: [{ path, message }] });
