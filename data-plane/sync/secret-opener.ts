import { Fault } from '../../proto/faults/fault.ts';
import { mapSecrets } from '../../proto/model/secrets/places.ts';
import { pathOfSealed } from '../../proto/model/secrets/sealed-values.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';
import { type DataKey, looksSealed, mayHoldSealed, openText } from '../../proto/trust/sealed-text.ts';
import { environmentKeyContext, openSealed } from '../../proto/trust/sealing.ts';
import { definitionIn } from '../../proto/wire/definitions.ts';
import { decodeEnvironmentKey } from '../../proto/wire/payloads.ts';
import type { EnvironmentRef, Nack } from '../../proto/wire/published.ts';
import type { SetRecord } from '../gateway/deploy/change.ts';
import { keyOf } from './record-set.ts';
import { inOrder, type Transition } from './transition.ts';

const keyAdvice =
  'A gateway gets it within seconds of its enrolment from a control plane that runs, and takes then what waits; one that stays without it was revoked, or has another sealing key: enrol it again.';
const tamperedAdvice =
  'It was changed or moved since it was sealed: write the secret again in its place, and deploy.';

type Records = Pick<Transition, 'set' | 'removed' | 'nacks'>;

/**
 * Opens the secrets of an environment's records on their way into service: what the store and everybody before it holds is sealed, what is
 * compiled is plain, and only in memory.
 *
 * The keys come as a record that is sealed to this gateway. A record whose key is not here goes on sealed with the reason why it is refused,
 * and again when a key comes: that settles it, whenever it came itself.
 */
export class SecretOpener {
  readonly #at: EnvironmentRef;
  readonly #identity: Pick<EnrolledIdentity, 'gateway' | 'sealing'>;
  #keys: ReadonlyMap<string, DataKey> = new Map();
  readonly #waiting = new Map<string, SetRecord>();

  constructor(at: EnvironmentRef, identity: Pick<EnrolledIdentity, 'gateway' | 'sealing'>) {
    this.#at = at;
    this.#identity = identity;
  }

  /** What goes into service, with what waited for a key that came; in the order of kinds. */
  open({ set, removed, nacks }: Records): Records {
    for (const record of [...set, ...removed]) this.#waiting.delete(keyOf(record));
    const isOurs = ({ kind, id }: Pick<SetRecord, 'kind' | 'id'>): boolean =>
      kind === 'environment-key' && id === this.#identity.gateway;
    if (removed.some(isOurs)) this.#keys = new Map();
    const key = set.find(isOurs);
    const refused = key === undefined ? undefined : this.#take(key);
    const again = key === undefined || refused !== undefined ? [] : [...this.#waiting.values()];
    // What still has to wait is noted again below.
    if (again.length > 0) this.#waiting.clear();
    const rest = set.filter(({ kind }) => kind !== 'environment-key');
    return {
      set: inOrder([...rest, ...again]).map((record) => this.#opened(record)),
      removed,
      nacks: refused === undefined ? nacks : [...nacks, refused],
    };
  }

  #take({ kind, id, seq, payload }: SetRecord): Nack | undefined {
    try {
      const keys = decodeEnvironmentKey(payload).keys.map(({ id: key, sealed }): DataKey => {
        const context = environmentKeyContext({ ...this.#at, gateway: this.#identity.gateway, key });
        return { id: key, key: openSealed(this.#identity.sealing, sealed, context) };
      });
      this.#keys = new Map(keys.map((key) => [key.id, key]));
      return undefined;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { kind, id, seq, code: error.code, reason: `The keys of its secrets: ${error.detail}` };
    }
  }

  #opened(record: SetRecord): SetRecord {
    const { kind, id, payload } = record;
    if (!mayHoldSealed(payload)) return record;
    const held = heldIn(record);
    if (held === undefined) return record;
    const secrets: string[] = [];
    let path = '';
    try {
      const plain = mapSecrets(held.definition, (value, at) => {
        if (!looksSealed(value)) return value;
        path = at.path;
        const text = openText(this.#keys, value, { ...this.#at, kind, id, field: at.field });
        secrets.push(text);
        return text;
      });
      path = pathOfSealed(plain) ?? '';
      if (path !== '') throw new Fault('secrets.tampered');
      return { ...record, payload: held.with(JSON.stringify(plain)), secrets };
    } catch (error) {
      const { code, detail, details } = error instanceof Fault ? error : new Fault('platform.bug');
      if (code === 'secrets.key_missing') this.#waiting.set(keyOf(record), record);
      // A definition in which not all secrets are found would run with sealed ones.
      const reasons = details.map((each) => `${each.path}: ${each.message}`);
      const [reason] = code.startsWith('secrets.') ? [`${path}: ${detail} ${adviceOf(code)}`] : reasons;
      return { ...record, refusal: { code, reason: reason ?? detail } };
    }
  }
}

const adviceOf = (code: string): string => (code === 'secrets.key_missing' ? keyAdvice : tamperedAdvice);

/** Undefined for what is no definition: whoever reads it refuses it. */
function heldIn(record: SetRecord) {
  try {
    const held = definitionIn(record);
    return held && { ...held, definition: JSON.parse(held.definition) as unknown };
  } catch {
    return undefined;
  }
}
