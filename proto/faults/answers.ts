import { Fault } from './fault.ts';

/** An error in the shape of the reference's management API. */
export interface ErrorBody {
  readonly httpStatus: number;
  readonly message: string;
  /** A code of proto/faults/codes.ts. */
  readonly technicalCode: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly details: readonly { readonly message: string; readonly location: string }[];
}

/** Details in one answer: a megabyte of faults helps nobody, and a text of the caller's comes back no longer than this. */
const detailsMax = 50;
const detailCharactersMax = 512;

/** What a door answers instead of a result. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
  /** True when it is our bug: the caller logs the stack. */
  readonly isBug: boolean;
}

/** The one translator of everything that people and operators call, node APIs too: faults say what they are, everything else is a bug and says nothing to strangers. */
export function answerOf(error: unknown): ErrorAnswer {
  const fault = error instanceof Fault ? error : new Fault('platform.bug', { cause: error });
  const left = fault.details.length - detailsMax;
  return {
    status: fault.status,
    isBug: fault.code === 'platform.bug',
    body: {
      httpStatus: fault.status,
      message: fault.detail,
      technicalCode: fault.code,
      parameters: {
        ...fault.parameters,
        ...(fault.hint === undefined ? {} : { hint: fault.hint }),
        ...(left > 0 && { detailsLeftOut: String(left) }),
      },
      details: fault.details
        .slice(0, detailsMax)
        .map(({ path, message }) => ({ message: clipped(message), location: clipped(path) })),
    },
  };
}

/** A path that leads to nothing, in the same words at every door; hint: where what was most likely meant is. */
export function nothingHere(hint?: string): Fault {
  return new Fault('request.not_found', {
    detail: 'There is nothing here.',
    ...(hint !== undefined && { hint }),
  });
}

const clipped = (text: string): string =>
  text.length <= detailCharactersMax ? text : `${text.slice(0, detailCharactersMax).toWellFormed()}...`;
