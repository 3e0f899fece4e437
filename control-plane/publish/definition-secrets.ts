import { Fault, type FaultDetail, invariant } from '../../proto/faults/fault.ts';
import { counterpartsOf, unclear } from '../../proto/model/secrets/counterparts.ts';
import { mapSecrets } from '../../proto/model/secrets/places.ts';
import { pathOfSealed } from '../../proto/model/secrets/sealed-values.ts';
import { isSecretByItself } from '../../proto/model/secrets/texts.ts';
import type { SecretPlace } from '../../proto/model/secrets/walk.ts';
import {
  type DataKey,
  dataKeyIdOf,
  isMask,
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
   * What somebody wrote, as it is kept. What a mask stands for says proto/model/secrets/counterparts.ts.
   *
   * Errors: request.invalid naming every mask that stands for nothing, or perhaps for several, or beside other text in a secret, and every
   * text that would be taken for a sealed one.
   */
  async seal<Definition>(written: Definition, owner: SecretsOwner, kept?: unknown): Promise<Definition> {
    if (!hasSecrets(written)) return checked(written);
    await this.#load();
    const known = this.#keptFor(written, kept, owner);
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
    const sealed = new Map<string, SecretPlace & { readonly value: string }>();
    mapSecrets(written, (value, at) => {
      if (isMask(value)) sealed.set(at.path, { ...at, value });
      return value;
    });
    if (sealed.size === 0) return written;
    await this.#load();
    const known = this.#keptFor(written, kept, owner);
    const details = [...sealed.values()].flatMap(({ path, place, field, isSecret, value }) => {
      const text = keptOf(known, value, place);
      if (typeof text !== 'string') return [text === unclear ? notClear(path) : nothingKept(path)];
      // It would come out open, and be kept so.
      const isKept = isSecret || !isSealed(text) || this.#isSecretByItself(text, { ...owner, field });
      return isKept ? [] : [noSecretAnyMore(path)];
    });
    if (details.length > 0) throw new Fault('request.invalid', { details });
    return mapSecrets(written, (value, { place, field, path }) => {
      const text = keptOf(known, value, place);
      return typeof text === 'string' ? this.#openedOf(text, { ...owner, field }, path) : value;
    });
  }

  /**
   * What is kept, with the texts of older keys sealed by the newest one; what has none of them is the very same. `failed` are the paths of
   * those that do not open: they stay as they are.
   */
  async reseal<Definition>(
    kept: Definition,
    owner: SecretsOwner,
  ): Promise<{ readonly definition: Definition; readonly failed: readonly string[] }> {
    await this.#load();
    const failed: string[] = [];
    const definition = mapSecrets(kept, (value, { field, path }) => {
      const renewed = this.#renewed(value, { ...owner, field }, path);
      if (this.#isStale(renewed)) failed.push(path);
      return renewed;
    });
    return { definition, failed };
  }

  /** The same of a whole text. */
  async resealWhole(sealed: string, place: SecretsOwner & { readonly field: string }): Promise<string> {
    await this.#load();
    return this.#renewed(sealed, place, place.field);
  }

  /** Seals a whole text, whatever stands in it. */
  async sealWhole(text: string, place: SecretsOwner & { readonly field: string }): Promise<string> {
    await this.#load();
    return this.#sealNow(text, place);
  }

  /** Opens what {@link sealWhole} made. Errors: secrets.tampered, secrets.key_missing. */
  async openWhole(sealed: string, place: SecretsOwner & { readonly field: string }): Promise<string> {
    await this.#load();
    return this.#openedOf(sealed, place, place.field);
  }

  #sealedOf(
    value: string,
    { path, place, field, isSecret }: SecretPlace,
    { owner, known }: { readonly owner: SecretsOwner; readonly known: KeptTexts },
  ): string | FaultDetail {
    const text = isMask(value) ? keptOf(known, value, place) : value;
    if (text === undefined) return nothingKept(path);
    if (text === unclear) return notClear(path);
    if (!isMask(value) && value.includes(mask) && known.get(place) !== value) return besideMask(path);
    if (!isSecret && isMask(value) && !isSealed(text)) return value;
    if (!isSecret && !this.#isSecretByItself(text, { ...owner, field })) return noSecretAnyMore(path);
    if (reference.test(text)) return text;
    if (!looksSealed(text)) return this.#sealNow(text, { ...owner, field });
    // Out of the database: whoever needs it open is told when it does not.
    if (isMask(value)) return this.#renewed(text, { ...owner, field }, path);
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
      // What an older key sealed is sealed anew when it is written again.
      if (!this.#sealed.has(memory) && !this.#isStale(text)) this.#sealed.set(memory, text);
      return opened;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new Fault(error.code, { internal: `${at.kind} ${at.id}, ${path}`, cause: error });
    }
  }

  /** A text as the newest key seals it; one that does not open stays as it is. One that needs nothing is learned. */
  #renewed(text: string, at: Place, path: string): string {
    if (!looksSealed(text)) return text;
    try {
      const opened = this.#openedOf(text, at, path);
      return this.#isStale(text) ? this.#sealNow(opened, at) : text;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return text;
    }
  }

  /** What is a secret by itself, whatever the fields beside it say. */
  #isSecretByItself(sealed: string, at: Place): boolean {
    try {
      return isSecretByItself(this.#openedOf(sealed, at, at.field));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return false;
    }
  }

  #isStale(text: string): boolean {
    const id = dataKeyIdOf(text);
    return id !== undefined && id !== this.#keys?.[0]?.id;
  }

  /** What is kept for each place of what was written that has a mask; its secrets keep their texts. */
  #keptFor(written: unknown, kept: unknown, owner: SecretsOwner): KeptTexts {
    const texts = new Map<string, string>();
    mapSecrets(kept, (value, { place, field, path }) => {
      texts.set(place, value);
      try {
        this.#openedOf(value, { ...owner, field }, path);
      } catch (error) {
        // What does not open any more may still be replaced.
        if (!(error instanceof Fault)) throw error;
      }
      return value;
    });
    const counterparts = [...counterpartsOf(written, kept)].map(
      ([place, of]) => [place, of === unclear ? unclear : texts.get(of)] as const,
    );
    return new Map(counterparts);
  }

  #placeOf(at: Place): SealedPlace {
    const { organization, environment } = this.#options.at;
    return { organization, environment, ...at };
  }

  async #load(): Promise<void> {
    const { trx, at, dataKeys, onMade } = this.#options;
    this.#keys ??= await dataKeys.hold(trx, at);
    if (this.#keys.length > 0) return;
    await dataKeys.make(trx, at);
    this.#keys = await dataKeys.hold(trx, at);
    await onMade();
  }
}

/** By places of what was written. */
type KeptTexts = ReadonlyMap<string, string | typeof unclear | undefined>;

/** A mask with a tag is a draft's, and stands for nothing that is kept here, but for itself where an earlier version kept it. */
function keptOf(known: KeptTexts, value: string, place: string): string | typeof unclear | undefined {
  const text = known.get(place);
  return value === mask || value === text ? text : undefined;
}

type Place = Pick<SealedPlace, 'kind' | 'id' | 'field'>;

const keyOf = ({ kind, id, field }: Place, text: string): string => JSON.stringify([kind, id, field, text]);

const nothingKept = (path: string): FaultDetail => ({
  path,
  message: `is ${mask}, the mask of a secret, and none is kept here in this place; write the secret`,
});

const notClear = (path: string): FaultDetail => ({
  path,
  message: `is ${mask}, the mask of a secret, and which one cannot be told: it stands in an item without an id or a name that no other has, and such items were moved, added, removed or changed together; write the secret, or save the items with names of their own first`,
});

const besideMask = (path: string): FaultDetail => ({
  path,
  message: `is a secret with ${mask} in it, the mask of one; write the whole secret`,
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
    found ||= isSecret && !isMask(value) && !looksSealed(value) && !reference.test(value);
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
