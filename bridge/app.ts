import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { answerOf, nothingHere } from '../proto/faults/answers.ts';
import { Fault } from '../proto/faults/fault.ts';
import { addHealth, type HealthSource } from '../proto/process/health.ts';
import { decodeFrame } from '../proto/wire/frames.ts';
import type { Clock } from '../proto/process/clock.ts';
import type { UploadReceipt } from '../proto/wire/receipt.ts';
import type { SeatRole } from '../proto/trust/seats.ts';
import type { Admission, Visitor } from './admission/admission.ts';
import { lengthOf, readBody } from './endpoints/body.ts';
import type { Claims } from './admission/claims.ts';
import { createEnrolment } from './endpoints/enrolment.ts';
import { addIdentityRoutes } from './endpoints/identity.routes.ts';
import type { Nonces } from './admission/nonces.ts';
import { pacedBody } from './admission/pace.ts';
import { environmentOf, sourceOf, type Polls } from './endpoints/polls.ts';
import { createIdleConnections } from './admission/idle-connections.ts';
import { requestsMaxOf, type Presence } from './streams/presence.ts';
import { answerSnapshot } from './endpoints/ranges.ts';
import { createRates } from './admission/rates.ts';
import { refusalOf, refusedMsMax } from './admission/refusal.ts';
import type { Services } from './services.ts';
import { createSnapshots } from './endpoints/snapshots.ts';
import { frameCostBytes } from './streams/stream.ts';
import type { Strangers } from './admission/strangers.ts';
import { createUploads } from './endpoints/uploads.ts';

const uploadPrefix = '/bridge/v1/uploads/';
const framesType = 'application/vnd.isthmus.frames';

type BridgeContext = Context<{ Bindings: HttpBindings }>;

/** Header lines of a request; ours send a dozen, and a proxy adds a few. */
export const headersMax = 100;

/** The bridge's HTTP endpoints; the stream is an Upgrade and stands in streams.ts. */
export function createApp(
  services: Services,
  doors: {
    readonly admission: Admission;
    readonly claims: Claims;
    readonly nonces: Nonces;
    readonly polls: Polls;
    readonly presence: Presence;
    readonly strangers: Strangers;
    readonly health: HealthSource;
  },
): Hono<{ Bindings: HttpBindings }> {
  const { clock, config, repository } = services;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const { strangers } = doors;
  const uploads = createUploads(services);
  const enrolment = createEnrolment(services);
  const reported = createRates(config.limits.framesInPerSecondMax, clock);
  const { admit, seated } = createEntrance(doors);

  // Before anything is looked up, and before the middleware that gives a nonce to everybody.
  addBounds(app, { strangers, clock });
  const { claims, nonces } = doors;
  addIdentityRoutes(app, { admit, claims, nonces, sourceOf: (request) => strangers.sourceOf(request) });

  // For whoever balances load on this port. Everything else that a process says of itself is on the node API, which is no stranger's.
  addHealth(app, doors.health);

  addReadRoutes(app, services, { seated, polls: doors.polls, claims });

  app.post('/bridge/v1/enrol', async (context) => {
    const source = strangers.sourceOf(context.env.incoming);
    return context.json(await enrolment.enrol(context.req.raw, source), 201);
  });

  app.post('/bridge/v1/heartbeat', async (context) => {
    const { identity, instance } = await seated(context, 'gateway');
    const { frameInBytesMax } = config.limits;
    // As over a stream: a large one counts as many, and is paid for before the next.
    const cost = 1 + lengthOf(context.req.raw, frameInBytesMax) / frameCostBytes;
    if (reported.take(identity.id, cost) > 0) throw new Fault('request.too_many');
    const bytes = await readBody(context.req.raw, frameInBytesMax);
    const frame = decodeFrame(bytes, frameInBytesMax);
    if (frame?.kind !== 'heartbeat')
      throw new Fault('wire.malformed', { detail: 'The body is one heartbeat frame.' });
    await repository.saveReport(identity.id, { ...frame.report, instance });
    return context.json({ bridgeTimeMs: clock.now() });
  });

  app.put(`${uploadPrefix}*`, async (context) => {
    const { identity } = await seated(context, 'shipper');
    const path = context.req.path.slice(uploadPrefix.length);
    const stored = await uploads.put(identity, path, context.req.raw);
    const receipt: UploadReceipt = { receipt: 'isthmus-upload', ...stored, bridgeTimeMs: clock.now() };
    return context.json(receipt, stored.outcome === 'existed' ? 200 : 201, { 'cache-control': 'no-store' });
  });

  app.get('/bridge/v1/stream', () => {
    throw new Fault('request.invalid', { detail: 'This is a WebSocket; send an Upgrade.' });
  });
  const refuse = refuser(services);
  // Beside its protocol it answers as all processes do.
  app.notFound(({ req }) => {
    if (req.path.startsWith('/bridge/')) return refuse(new Fault('request.not_found'));
    return Response.json(answerOf(nothingHere()).body, { status: 404 });
  });
  app.onError(refuse);
  return app;
}

/** Who comes in, and for how long he is here. */
function createEntrance({
  admission,
  claims,
  presence,
  strangers,
}: {
  readonly admission: Admission;
  readonly claims: Claims;
  readonly presence: Presence;
  readonly strangers: Strangers;
}): {
  readonly admit: (context: BridgeContext) => Promise<Visitor>;
  readonly seated: (context: BridgeContext, role: SeatRole) => Promise<Visitor>;
} {
  const admit = async (context: BridgeContext): Promise<Visitor> => {
    const { incoming } = context.env;
    return admission.admit(context.req.header('authorization'), (gateway) =>
      strangers.proven(incoming, gateway),
    );
  };
  return {
    admit,
    async seated(context, role) {
      const visitor = await admit(context);
      await claims.demand(visitor, role);
      if (presence.requestsOf(visitor) >= requestsMaxOf(visitor))
        throw new Fault('request.too_many', { detail: 'Too many open requests of this process.' });
      const { outgoing } = context.env;
      const leave = presence.occupy(visitor, () => outgoing.destroy());
      // Until the answer's last byte has left: what is being sent takes memory as well.
      const onClose = (): void => leave({ isGone: !outgoing.writableFinished });
      if (outgoing.destroyed) onClose();
      else outgoing.once('close', onClose);
      return visitor;
    },
  };
}

function addBounds(
  app: Hono<{ Bindings: HttpBindings }>,
  { strangers, clock }: { readonly strangers: Strangers; readonly clock: Clock },
): void {
  const connections = createIdleConnections();
  app.use('/bridge/*', async ({ env: { incoming, outgoing } }, next) => {
    const { socket } = incoming;
    connections.busy(socket);
    outgoing.once('finish', () => {
      // Refused while its body is still coming, perhaps for ever: no more of it is read, and the answer has time to arrive.
      if (incoming.complete) return;
      socket.pause();
      clock.after(refusedMsMax, () => socket.destroy());
    });
    outgoing.once('close', () => {
      const owner = strangers.ownerOf(incoming);
      if (owner !== undefined) connections.idle(socket, owner);
    });
    strangers.came(incoming);
    if (incoming.rawHeaders.length / 2 > headersMax) throw new Fault('request.head_too_large');
    // Nobody of ours sends chunks, and reading them costs more than anything that a caller could be asked for before.
    if (incoming.headers['transfer-encoding'] !== undefined) throw new Fault('bridge.length_required');
    await next();
  });
}

/** What is published, for those who have no stream. */
function addReadRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  services: Services,
  doors: {
    readonly seated: (context: BridgeContext, role: SeatRole) => Promise<Visitor>;
    readonly polls: Polls;
    readonly claims: Claims;
  },
): void {
  const { clock, config } = services;
  const { seated } = doors;
  const snapshots = createSnapshots(services);
  const paced = (context: BridgeContext, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
    pacedBody(parts, {
      msMax: config.limits.sendMsMax,
      clock,
      onStalled: () => void context.env.outgoing.destroy(),
    });

  app.get('/bridge/v1/changes', async (context) => {
    const visitor = await seated(context, 'gateway');
    const { signal } = context.req.raw;
    const stillSits = (): Promise<void> => doors.claims.demand(visitor, 'gateway');
    const frames = await doors.polls.answer({ visitor, query: context.req.query(), signal, stillSits });
    return new Response(paced(context, frames), {
      headers: { 'content-type': framesType, 'cache-control': 'no-store' },
    });
  });

  app.get('/bridge/v1/snapshot', async (context) => {
    const { identity } = await seated(context, 'gateway');
    const at = environmentOf(identity, context.req.query('environment'));
    const snapshot = await snapshots.of(sourceOf(services, identity, at));
    return answerSnapshot(snapshot, context.req.raw.headers, (bytes) => paced(context, [bytes]));
  });
}

function refuser({ log, clock }: Services): (error: unknown) => Response {
  return (error) => {
    if (!(error instanceof Fault)) log.error({ err: error }, 'a request failed');
    const { status, headers, body } = refusalOf(error, clock.now());
    return new Response(JSON.stringify(body), { status, headers });
  };
}
