import {
  type Body,
  bodyOf,
  type HeaderList,
  transformBody,
  type TransformMaker,
} from '../../http/exchange.ts';
import type { PassingBody } from '../../policies/policy.ts';

/** Whose body it is. */
interface Place {
  readonly headers: HeaderList;
  content: Uint8Array | undefined;
}

/** The body of one phase on its way through the steps: as it comes, transformed by some of them, or whole in its place's `content`. */
export class PhaseBody {
  /** What goes on in place of what came, while `content` is undefined; undefined until a step transforms it. */
  transformed: Body | undefined = undefined;
  readonly #place: Place;
  readonly #received: Body | Uint8Array | string;

  constructor(place: Place, received: Body | Uint8Array | string) {
    this.#place = place;
    this.#received = received;
  }

  /** Reads it whole into its place, once; undefined when it is there. Errors: rejects as Body.buffer. */
  read(bytesMax: number): Promise<void> | undefined {
    const place = this.#place;
    if (place.content !== undefined) return undefined;
    const body = this.transformed ?? this.#received;
    if (typeof body !== 'string' && !(body instanceof Uint8Array))
      return body.buffer(bytesMax).then((content) => void (place.content = content));
    place.content = typeof body === 'string' ? Buffer.from(body) : body;
    return undefined;
  }

  /** As a step that transforms it sees it; `onThrown` hears what its transform throws. */
  passing(onThrown: (error: unknown) => void): PassingBody {
    const current = this.#current();
    return {
      length: current.length,
      isEmpty: current.isEmpty,
      through: (make, length) => this.#through(make, { length, onThrown }),
    };
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
