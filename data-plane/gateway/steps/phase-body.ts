import {
  type Body,
  BodyInPart,
  bodyOf,
  type HeaderList,
  transformBody,
  type TransformMaker,
} from '../../http/exchange.ts';
import type { BodyCheck, PassingBody, Verdict } from '../../policies/policy.ts';
import { checkBody, checkBytes, type Checked, type CheckListener } from './checked-body.ts';
import { sayUnpacked, unpack } from './unpack.ts';

/** Whose body it is. */
interface Place {
  /** Of an answer. */
  readonly status?: number;
  readonly headers: HeaderList;
  content: Uint8Array | undefined;
}

/** Who hears of a body what comes once its step has said its verdict. */
export interface PassingListener extends CheckListener {
  /** It is read from now on, before anybody sends it. */
  onTaken(): void;
}

/** The body of one phase on its way through the steps: as it comes, transformed by some of them, or whole in its place's `content`. */
export class PhaseBody {
  /** What goes on in place of what came, while `content` is undefined; undefined until a step transforms it. */
  transformed: Body | undefined = undefined;
  readonly #place: Place;
  readonly #received: Body | Uint8Array | string;
  readonly #isUnpacked: boolean;

  /** isUnpacked: whoever reads it reads what it says, and from there on it goes uncompressed. */
  constructor(place: Place, received: Body | Uint8Array | string, isUnpacked: boolean) {
    this.#place = place;
    this.#received = received;
    this.#isUnpacked = isUnpacked;
  }

  /** Reads it whole into its place, once; undefined when it is there. Errors: rejects as Body.buffer, and with BodyInPart where whole is what an answer is not. */
  read(bytesMax: number): Promise<void> | undefined {
    const place = this.#place;
    if (place.content !== undefined) return undefined;
    const body = this.transformed ?? this.#received;
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      if (isPart(place))
        return Promise.reject(new BodyInPart('the backend sent a part that nobody asked for'));
      return body
        .buffer(bytesMax)
        .then((content) =>
          this.#isUnpacked ? this.#take(content, bytesMax) : void (place.content = content),
        );
    }
    place.content = typeof body === 'string' ? Buffer.from(body) : body;
    return undefined;
  }

  async #take(content: Uint8Array, bytesMax: number): Promise<void> {
    const { headers } = this.#place;
    const plain = await unpack({ headers, content }, bytesMax);
    this.#place.content = plain ?? content;
    if (plain !== undefined) sayUnpacked(headers);
  }

  /** As a step that transforms or checks it sees it; the listener hears what comes later. */
  passing(listener: PassingListener): PassingBody {
    const current = this.#current();
    return {
      length: current.length,
      isEmpty: current.isEmpty,
      through: (make, length) =>
        this.#through(make, { length, onThrown: (error) => listener.onThrown(error) }),
      check: (check) => this.#pass(check, listener),
    };
  }

  #pass(check: BodyCheck, listener: PassingListener): Verdict | Promise<Verdict> {
    const given = this.#place.content ?? this.transformed ?? this.#received;
    if (typeof given === 'string' || given instanceof Uint8Array) {
      const bytes = typeof given === 'string' ? Buffer.from(given) : given;
      return bytes.length === 0 ? undefined : checkBytes(bytes, check);
    }
    if (given.isEmpty) return undefined;
    listener.onTaken();
    const checked = checkBody(given, check, listener);
    return checked instanceof Promise ? checked.then((late) => this.#passed(late)) : this.#passed(checked);
  }

  #passed(checked: Checked): Verdict {
    if (checked.kind === 'refused') return checked.refusal;
    if (checked.kind === 'whole') this.#place.content = checked.content;
    else this.transformed = checked.body;
    return undefined;
  }

  #through(
    make: TransformMaker,
    wish: { readonly length: number | undefined; readonly onThrown: (error: unknown) => void },
  ): void {
    if (wish.length !== undefined && (!Number.isSafeInteger(wish.length) || wish.length < 0))
      throw new TypeError(`${wish.length} is no number of bytes`);
    this.transformed = transformBody(this.#current(), make, wish);
    this.#place.content = undefined;
    // Its length is another now, and where no body is sent (HEAD, 304) the engine would believe this one.
    this.#place.headers.delete('content-length');
  }

  #current(): Body {
    const given = this.#place.content ?? this.transformed ?? this.#received;
    if (typeof given === 'string') return bodyOf(Buffer.from(given));
    return given instanceof Uint8Array ? bodyOf(given) : given;
  }
}

/**
 * A part of an answer, whatever a step has made of its status since it came. No step that reads answers asks for one, and what it did not
 * find in a part may stand in the rest (RFC 9110 section 15.3.7).
 */
function isPart({ status, headers }: Place): boolean {
  if (status === undefined) return false;
  const isRanged = status !== 416 && headers.has('content-range');
  return status === 206 || isRanged || /^multipart\/byteranges/i.test(headers.get('content-type') ?? '');
}
