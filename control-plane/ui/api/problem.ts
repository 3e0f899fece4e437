import type { Schemas } from './management.generated.ts';

/** What the management API says when it refuses, or what stood between us and it. */
export class Problem extends Error {
  /** Status of the answer; 0 when there was none. */
  readonly status: number;
  /** A code of the fault register, e.g. `request.invalid`. */
  readonly code: string;
  readonly details: Schemas['Error']['details'];
  /** What the log of the control plane calls it. */
  readonly transaction: string | undefined;
  /** Before then, in ms since the epoch, it would be refused again; 0 when nobody has said. */
  readonly retryAtMs: number;

  constructor(body: Schemas['Error'], transaction: string | undefined, retryAtMs = 0) {
    const hint = body.parameters['hint'];
    super(hint === undefined ? body.message : `${body.message} ${hint}`);
    this.status = body.httpStatus;
    this.code = body.technicalCode;
    this.details = body.details;
    this.transaction = transaction;
    this.retryAtMs = retryAtMs;
  }

  /** Whether the same may be answered when it is asked again, which what is refused or not there is not. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /**
   * What is wrong at each field of a form, by the places that the field writes: `{ path: 'listeners' }` takes `listeners[0].paths[0].path`.
   * What is said of no field is left for the box.
   */
  at<Field extends string>(
    places: Readonly<Record<Field, string>>,
  ): {
    readonly faults: Readonly<Partial<Record<Field, string>>>;
    readonly others: Schemas['Error']['details'];
  } {
    const isField = (key: string): key is Field => Object.hasOwn(places, key);
    const fields = Object.keys(places).filter(isField);
    const faults: Partial<Record<Field, string>> = {};
    const others: Schemas['Error']['details'] = [];
    for (const detail of this.details) {
      const { location, message } = detail;
      const field = fields.find((each) => {
        const place = places[each];
        return (
          location === place || (location.startsWith(place) && /^[.[]/.test(location.slice(place.length)))
        );
      });
      if (field === undefined) others.push(detail);
      else faults[field] ??= message;
    }
    return { faults, others };
  }

  /** Anything that was thrown, as one. */
  static of(error: unknown): Problem {
    if (error instanceof Problem) return error;
    const message = 'The control plane cannot be reached. Try again; what is shown may be old.';
    return new Problem(
      { httpStatus: 0, message, technicalCode: 'console.unreachable', parameters: {}, details: [] },
      undefined,
    );
  }

  /** What somebody writes was changed by somebody else since. */
  static taken(): Problem {
    const message =
      'Somebody else has changed this since you began to write. Save again to write over it, or discard what you wrote to see it.';
    return new Problem(
      { httpStatus: 412, message, technicalCode: 'console.changed_meanwhile', parameters: {}, details: [] },
      undefined,
    );
  }

  /** The session is not that of whoever the page was made for, so that nothing was sent. */
  static ofOthers(): Problem {
    const message = 'You are not signed in any more as whom this page was made for. Nothing was sent.';
    return new Problem(
      { httpStatus: 401, message, technicalCode: 'console.other_session', parameters: {}, details: [] },
      undefined,
    );
  }

  /** What was wrong with one field of what was sent, e.g. `username`; undefined when nothing was. */
  static at(error: unknown, field: string): string | undefined {
    if (error === null || error === undefined) return undefined;
    return Problem.of(error).details.find(({ location }) => location === field)?.message;
  }
}
