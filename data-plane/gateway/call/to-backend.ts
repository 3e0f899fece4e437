import type { Endpoint } from '../../endpoints/group.ts';
import type { UpstreamResult } from '../../http/exchange.ts';
import type { BackendAnswer, Rejection, StepPlace } from '../../policies/policy.ts';
import type { CompiledApi } from '../compile/compile.ts';
import type { Step } from '../compile/step.ts';
import { refusals, upstreamRefusals } from '../errors/refusals.ts';
import { marks } from '../explain/trail.ts';
import { BackendCalls, type Sendable } from '../steps/around.ts';
import type { BrokenStep } from '../steps/kept.ts';
import type { UnreadBody } from '../steps/run-steps.ts';
import { fail, openTunnel, refuse, settle } from './answer.ts';
import type { Call } from './call.ts';
import { sendFollowing } from './redirects.ts';
import { hostOfSteps, type SendingTo, sendTo, type Trail } from './send.ts';
import { answerInstead, beginAnswer, resume, watch } from './stage.ts';

/** The last stage of a request: an endpoint answers it, through the steps around the call. Without such steps nobody waits for a promise. */
export function toBackend(call: Call, api: CompiledApi): void {
  const around = stepsAround(call, api);
  askForAll(call);
  const { endpoints } = api;
  const host = hostOfSteps(call);
  const trail: Trail = {
    received: call.receivedVia,
    own: call.options.hops.own(call.exchange.request, call.deployed),
  };
  if (around === undefined || around.length === 0) {
    const endpoint = nextEndpoint(call, api);
    if (endpoint === undefined) return refuse(call, noEndpoint(call));
    watch(call);
    send(call, { endpoints, endpoint, host, trail, request: call }, (result) => {
      try {
        receive(call, result);
      } catch (error) {
        fail(call, error);
      }
    });
    return letReadGo(call);
  }
  call.backendCalls = new BackendCalls(call, (request, hear, isWanted) => {
    const endpoint = nextEndpoint(call, api);
    if (endpoint === undefined) return noEndpoint(call);
    send(call, { endpoints, endpoint, host, trail, request, isWanted }, hear);
    return undefined;
  });
  resume(call, call.backendCalls.through(around), (answer) => receiveThrough(call, answer));
}

/** Texts that were made of the body would be copied by each collection while the backend works; where no step of the answer may ask, nobody will. */
function letReadGo({ work, steps, organizationSteps }: Call): void {
  if (work === undefined) return;
  if ((steps?.response.length ?? 0) + (organizationSteps?.response.length ?? 0) === 0) work.forget();
}

/** One call of the backend. */
interface Attempt extends Pick<SendingTo, 'endpoint' | 'host' | 'trail'> {
  readonly request: Sendable;
  readonly endpoints: CompiledApi['endpoints'];
  /** Undefined where there is one attempt. */
  readonly isWanted?: () => boolean;
}

/** Makes an attempt; where the endpoint's redirects are followed, with all its hops. */
function send(call: Call, attempt: Attempt, hear: (result: UpstreamResult) => void): void {
  const { endpoint, host, trail, request, endpoints } = attempt;
  let asked = endpoint;
  let asking = call.trail?.attempt(endpoint, call.exchange.marks);
  const to = { endpoint, host, trail, scope: call, log: call.log };
  const heard = (result: UpstreamResult): void => {
    tell(call, asked, result);
    if (asking !== undefined) call.trail?.heard(asking, result);
    hear(result);
  };
  if (!endpoint.followsRedirects) return sendTo(to, request, heard);
  sendFollowing(to, request, {
    receive: heard,
    toward: (at, url) => endpoints.toward(at, url),
    isWanted: attempt.isWanted ?? (() => !call.isAnswered),
    onHop(next) {
      asked = call.endpoint = next;
      asking = call.trail?.attempt(next, call.exchange.marks);
    },
  });
}

/** The outermost first: what stands last in the flows, of which the organization's are the first. Most requests have none, and nothing is made. */
function stepsAround(
  { steps, organizationSteps }: Call,
  { around: own = none }: CompiledApi,
): readonly Step[] | undefined {
  const ofOrganization = organizationSteps?.around ?? none;
  if (own.length + ofOrganization.length === 0) return steps?.around;
  return [...(steps?.around ?? none), ...ofOrganization, ...own];
}

const none: readonly Step[] = [];

/**
 * Where a step reads the answer, nobody is given a part of it: a caller who asks for one gets all, as from a server that knows no ranges
 * (RFC 9110 section 14.2). In two parts that each are read by themselves nothing is found that lies across both.
 */
function askForAll({ request: { headers }, steps, organizationSteps }: Call): void {
  if (!headers.has('range')) return;
  if (![steps, organizationSteps].some((passed) => passed?.response.some(readsAnswer))) return;
  headers.delete('range');
  headers.delete('if-range');
}

const readsAnswer = ({ readsResponse, gate }: Step): boolean => readsResponse || gate?.needs === 'buffered';

/** Endpoints are named by their names. */
const endpointPlace: StepPlace = { kind: 'endpoint', at: 'endpointGroups' };

function noEndpoint({ trail }: Call): Rejection {
  trail?.mark(marks.refused, endpointPlace);
  return refusals.noEndpoint;
}

/** The endpoint whose turn it is; from now on the request's body is its. */
function nextEndpoint(call: Call, { endpoints }: CompiledApi): Endpoint | undefined {
  call.step = endpointPlace;
  const endpoint = endpoints.next(call);
  if (endpoint === undefined) return undefined;
  call.endpoint = endpoint;
  if (call.retry !== undefined) call.retry.first ??= endpoint.name;
  // Replaced by a step that did not read it.
  if (call.request.content !== undefined && !call.isBodyTaken) call.exchange.request.body.discard();
  call.isBodyTaken = true;
  return endpoint;
}

function receiveThrough(call: Call, answer: BackendAnswer | BrokenStep | UnreadBody): void {
  const { kind } = answer;
  if (kind === 'response' || kind === 'upgrade' || kind === 'failure') receive(call, answer);
  else answerInstead(call, answer);
}

/** An answer is news while some backend is down, a failure always. */
function tell({ options: { backends }, deployed }: Call, endpoint: Endpoint, result: UpstreamResult): void {
  if (result.kind !== 'failure' && !backends.isAnyDown) return;
  backends.heard({ api: deployed.id, endpoint: endpoint.name, url: endpoint.url }, result);
}

function receive(call: Call, result: UpstreamResult): void {
  if (call.isAnswered) return result.kind === 'response' ? result.body.discard() : undefined;
  switch (result.kind) {
    case 'response':
      call.upstreamBody = result.body;
      return beginAnswer(call, result.head, result.body);
    case 'upgrade':
      return openTunnel(call, result.upgrade);
    case 'failure':
      if (call.exchange.isAborted) return settle(call);
      return refuse(call, upstreamRefusals[result.failure], result.message);
  }
}
