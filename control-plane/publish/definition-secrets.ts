import { Fault, type FaultDetail, invariant } from '../../proto/faults/fault.ts';
import { mapSecrets, pathOfSealed, type SecretPlace } from '../../proto/model/secrets/places.ts';
import {
  type DataKey,
  isSealed,
  looksSealed,
  mask,
  openText,
  type SealedPlace,
  sealText,
} from '../../proto/trust/sealed-text.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Trx } from '../storage/storage.ts';
import type { DataKeys } from './data-keys.ts';

/** The record whose definition it is: what is sealed in one opens in no other. */
export type SecretsOwner = Pick<SealedPlace, 'kind' | 'id'>;

/** What {@link DefinitionSecrets} needs. */
export interface DefinitionSecretsOptions {
  readonly trx: Trx;
  /** `environment` is empty for what the organization keeps itself. */
  readonly at: EnvironmentRef;
  readonly dataKeys: DataKeys;
  /** The environment has got its first key: its gateways must get it too. */
  readonly onMade: () => Promise<void>;
}

/** A reference holds no secret, and says where one is. */
const reference = /^\{#secrets\.get\('[^'{}]*'(?:, ?'[^'{}]*')?\)\}$/;

/**
 * The secrets of definitions in one transaction: what comes in is sealed, what goes to the database and to gateways is sealed, what has to
 * be judged is opened in memory.
 *
 * The same secret in the same field of the same record keeps the sealed text that it has, so that what is not changed stays the same text.
 */
export class DefinitionSecrets {
  readonly #options: DefinitionSecretsOptions;
  readonly #sealed = new Map<string, string>();
  #keys: readonly DataKey[] | undefined;

  constructor(options: DefinitionSecretsOptions) {
    this.#options = options;
  }

  /**
   * What somebody wrote, as it is kept. A mask stands for what is kept in the same place.
   *
   * Errors: request.invalid naming every mask that stands for nothing, and every text that would be taken for a sealed one.
   */
  async seal<Definition>(written: Definition, owner: SecretsOwner, kept?: unknown): Promise<Definition> {
    if (!hasSecrets(written)) return checked(written);
    await this.#load();
    const known = this.#placesOf(kept, owner);
    const details: FaultDetail[] = [];
    const sealed = mapSecrets(written, (value, at) => {
      const made = this.#sealedOf(value, at, { owner, known });
      if (typeof made === 'string') return made;
      details.push(made);
      return value;
    });
    if (details.length > 0) throw new Fault('request.invalid', { details });
    return checked(sealed);
  }

  /** What is kept, opened, with its secrets: nothing that is said of it may repeat them. Errors: secrets.tampered, secrets.key_missing. */
  async open<Definition>(
    kept: Definition,
    owner: SecretsOwner,
  ): Promise<{ readonly definition: Definition; readonly secrets: readonly string[] }> {
    if (!hasSecrets(kept)) return { definition: kept, secrets: [] };
    await this.#load();
    const secrets: string[] = [];
    const definition = mapSecrets(kept, (value, { field, path }) => {
      const text = this.#openedOf(value, { ...owner, field }, path);
      secrets.push(text);
      return text;
    });
    return { definition, secrets };
  }

  /** What somebody wrote with the secrets that its masks stand for. Errors: request.invalid naming masks that stand for nothing. */
  async unmask<Definition>(written: Definition, owner: SecretsOwner, kept?: unknown): Promise<Definition> {
    const sealed = new Map<string, SecretPlace>();
    mapSecrets(written, (value, at) => {
      if (value === mask) sealed.set(at.path, at);
      return value;
    });
    if (sealed.size === 0) return written;
    await this.#load();
    const known = this.#placesOf(kept, owner);
    const details = [...sealed.values()].flatMap(({ path, place, isSecret }) => {
      const text = known.get(place);
      if (isSecret) return text === undefined ? [nothingKept(path)] : [];
      // It would come out open, and be kept so.
      return text !== undefined && isSealed(text) ? [noSecretAnyMore(path)] : [];
    });
    if (details.length > 0) throw new Fault('request.invalid', { details });
    return mapSecrets(written, (value, { place, field, path, isSecret }) => {
      const text = value === mask && isSecret ? known.get(place) : undefined;
      return text === undefined ? value : this.#openedOf(text, { ...owner, field }, path);
    });
  }

  #sealedOf(
    value: string,
    { path, place, field, isSecret }: SecretPlace,
    { owner, known }: { readonly owner: SecretsOwner; readonly known: ReadonlyMap<string, string> },
  ): string | FaultDetail {
    const text = value === mask ? known.get(place) : value;
    if (text === undefined) return isSecret ? nothingKept(path) : value;
    if (!isSecret) return value === mask && !isSealed(text) ? value : noSecretAnyMore(path);
    if (reference.test(text)) return text;
    if (!looksSealed(text)) return this.#sealNow(text, { ...owner, field });
    // Out of the database as it is: whoever needs it open is told.
    if (value === mask) return text;
    try {
      this.#openedOf(text, { ...owner, field }, path);
      return text;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return {
        path,
        message: 'begins with "sealed:", as only what is kept here does; write the secret itself',
      };
    }
  }

  #sealNow(text: string, at: Place): string {
    const memory = keyOf(at, text);
    const known = this.#sealed.get(memory);
    if (known !== undefined) return known;
    const [key] = this.#keys ?? [];
    invariant(key !== undefined, 'an environment that seals has a key');
    const sealed = sealText(key, text, this.#placeOf(at));
    this.#sealed.set(memory, sealed);
    return sealed;
  }

  #openedOf(text: string, at: Place, path: string): string {
    if (!looksSealed(text)) return text;
    try {
      const opened = openText(new Map(this.#keys?.map((key) => [key.id, key])), text, this.#placeOf(at));
      const memory = keyOf(at, opened);
      if (!this.#sealed.has(memory)) this.#sealed.set(memory, text);
      return opened;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new Fault(error.code, { internal: `${at.kind} ${at.id}, ${path}`, cause: error });
    }
  }

  /** What is kept in each place; its secrets keep their texts. */
  #placesOf(kept: unknown, owner: SecretsOwner): ReadonlyMap<string, string> {
    const places = new Map<string, string>();
    mapSecrets(kept, (value, { place, field, path }) => {
      places.set(place, value);
      try {
        this.#openedOf(value, { ...owner, field }, path);
      } catch (error) {
        // What does not open any more may still be replaced.
        if (!(error instanceof Fault)) throw error;
      }
      return value;
    });
    return places;
  }

  #placeOf(at: Place): SealedPlace {
    const { organization, environment } = this.#options.at;
    return { organization, environment, ...at };
  }

  async #load(): Promise<void> {
    const { trx, at, dataKeys, onMade } = this.#options;
    this.#keys ??= await dataKeys.open(trx, at);
    if (this.#keys.length > 0) return;
    await dataKeys.make(trx, at);
    this.#keys = await dataKeys.open(trx, at);
    await onMade();
  }
}

type Place = Pick<SealedPlace, 'kind' | 'id' | 'field'>;

const keyOf = ({ kind, id, field }: Place, text: string): string => JSON.stringify([kind, id, field, text]);

const nothingKept = (path: string): FaultDetail => ({
  path,
  message: `is ${mask}, the mask of a secret, and none is kept here in this place; write the secret`,
});

const noSecretAnyMore = (path: string): FaultDetail => ({
  path,
  message: 'stands for a secret, and the fields beside it say that there is none; write the value',
});

/** Whether anything in it is a secret, a mask of one, or sealed. */
function hasSecrets(definition: unknown): boolean {
  let found = false;
  mapSecrets(definition, (value) => {
    found ||= !reference.test(value);
    return value;
  });
  return found;
}

/** Whether a secret lies open in it. */
export function hasOpenSecrets(definition: unknown): boolean {
  let found = false;
  mapSecrets(definition, (value, { isSecret }) => {
    found ||= isSecret && value !== mask && !looksSealed(value) && !reference.test(value);
    return value;
  });
  return found;
}

/** Nobody but this control plane writes sealed texts, and none where there are no secrets. Errors: request.invalid. */
function checked<Definition>(sealed: Definition): Definition {
  const path = pathOfSealed(mapSecrets(sealed, () => ''));
  if (path === undefined) return mapSecrets(sealed, (value) => value);
  const message = 'has the form of a sealed secret, which only secrets have; write something else';
  throw new Fault('request.invalid', { details: [{ path, message }] });
}
