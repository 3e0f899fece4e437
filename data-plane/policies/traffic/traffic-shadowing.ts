import { Fault } from '../../../proto/faults/fault.ts';
import type { BodyTransform, TransformMaker } from '../../http/exchange.ts';
import { renderedHeaders } from '../called-headers.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory } from '../policy.ts';
import { Gathered } from '../gathered.ts';

const copiesMax = 100;
const bodyBytesMax = 256 * 1024;
const copyMsMax = 10_000;
/** Of the connection that a request came on, and of the host that it was for. */
const left =
  /^(host|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|expect)$/;

/** A copy that is not on its way yet. */
interface Held {
  isHeld: boolean;
}

/** Sends a copy of each request elsewhere, behind the back of its caller. */
export const trafficShadowing: PolicyFactory<'traffic-shadowing', Held> = (config, { host, place }) => {
  const { target, headers } = config;
  const step = { kind: 'traffic-shadowing', at: place.at };
  let copies = 0;
  const send = async (call: PolicyCall, url: string, body: Uint8Array): Promise<void> => {
    const { method } = call.request;
    try {
      const answer = await host.outbound.request(url, {
        method,
        headers: { ...copiedHeaders(call), ...lowered(renderedHeaders(headers, call)) },
        ...(body.length === 0 ? {} : { body }),
        timeoutMs: copyMsMax,
      });
      for await (const _part of answer.stream);
    } catch (error) {
      const why = error instanceof Fault ? error.detail : 'the copy was not sent';
      call.warn('TRAFFIC_SHADOWING_FAILED', why, { step });
    } finally {
      copies -= 1;
    }
  };
  return {
    slot: () => ({ isHeld: false }),
    request: {
      needs: 'stream',
      run(call, held, passing) {
        const rendered = target.render(call, host.judgeTarget);
        const url = rendered.kind === 'value' ? urlOf(rendered.value, call, host.targets) : undefined;
        if (url === undefined || copies >= copiesMax || (passing.length ?? 0) > bodyBytesMax) {
          call.warn('TRAFFIC_SHADOWING_DROPPED', whyNot(url, copies));
          return CONTINUE;
        }
        copies += 1;
        held.isHeld = true;
        const go = (body: Uint8Array): void => {
          held.isHeld = false;
          void send(call, url, body);
        };
        if (passing.isEmpty) go(new Uint8Array());
        else passing.through(copying(go), passing.length);
        return CONTINUE;
      },
    },
    end(_call, _outcome, held) {
      // Its body never came whole, or was too long.
      if (held.isHeld) copies -= 1;
    },
  };
};

function whyNot(url: string | undefined, copies: number): string {
  if (url === undefined) return 'there is no such target';
  return copies >= copiesMax
    ? `${copies} copies are on their way`
    : `the body is longer than ${bodyBytesMax} bytes`;
}

/** Where a copy goes; undefined for an endpoint that is not there. */
function urlOf(
  text: string,
  { request }: PolicyCall,
  targets: ReadonlyMap<string, string>,
): string | undefined {
  const base = URL.canParse(text) && /^https?:/i.test(text) ? text : targets.get(text.replace(/:$/, ''));
  const query = request.query === undefined ? '' : `?${request.query}`;
  return base === undefined ? undefined : `${base.replace(/\/$/, '')}${request.pathInfo}${query}`;
}

function copiedHeaders({ request }: PolicyCall): Record<string, string> {
  const copied = new Map<string, string>();
  request.headers.forEach((name, value) => {
    const lower = name.toLowerCase();
    if (left.test(lower)) return;
    const before = copied.get(lower);
    copied.set(lower, before === undefined ? value : `${before}${lower === 'cookie' ? '; ' : ', '}${value}`);
  });
  return Object.fromEntries(copied);
}

const lowered = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** Lets a body pass as it is, and tells of it once it has come whole and is not too long. */
function copying(whole: (body: Uint8Array) => void): TransformMaker {
  return (to): BodyTransform => {
    const copy = new Gathered(bodyBytesMax);
    return {
      // oxlint-disable-next-line max-params -- BodySink's
      onPiece(bytes, start, end, isStable) {
        copy.add(bytes, start, end);
        to.onPiece(bytes, start, end, isStable);
      },
      onEnd(trailers) {
        if (!copy.isTooLong) whole(copy.bytes);
        to.onEnd(trailers);
      },
    };
  };
}
