import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { Fault } from '../proto/faults/fault.ts';
import { decodeFrame } from '../proto/wire/frames.ts';
import type { UploadReceipt } from '../proto/wire/receipt.ts';
import type { SeatRole } from '../proto/trust/seats.ts';
import type { Admission, Visitor } from './admission.ts';
import { readBody } from './body.ts';
import type { Claims } from './claims.ts';
import { createEnrolment } from './enrolment.ts';
import { addIdentityRoutes } from './identity.routes.ts';
import type { Nonces } from './nonces.ts';
import { pacedBody } from './pace.ts';
import { environmentOf, sourceOf, type Polls } from './polls.ts';
import type { Presence } from './presence.ts';
import { answerSnapshot } from './ranges.ts';
import { refusalOf } from './refusal.ts';
import type { Services } from './services.ts';
import { createSnapshots } from './snapshots.ts';
import type { Strangers } from './strangers.ts';
import { createUploads } from './uploads.ts';

const uploadPrefix = '/bridge/v1/uploads/';
const framesType = 'application/vnd.isthmus.frames';

type Call = Context<{ Bindings: HttpBindings }>;

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
  },
): Hono<{ Bindings: HttpBindings }> {
  const { clock, config, repository } = services;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const uploads = createUploads(services);
  const enrolment = createEnrolment(services);
  const admit = async (context: Call): Promise<Visitor> => {
    const visitor = await doors.admission.admit(context.req.header('authorization'));
    doors.strangers.proven(context.env.incoming.socket);
    return visitor;
  };
  const seated = async (context: Call, role: SeatRole): Promise<Visitor> => {
    const visitor = await admit(context);
    await doors.claims.demand(visitor, role);
    return visitor;
  };

  addIdentityRoutes(app, { admit, claims: doors.claims, nonces: doors.nonces });

  // For whoever balances load on this port. Everything else that a process says of itself is on the node API, which is no stranger's.
  app.get('/health', (context) =>
    context.json({ status: 'UP', degraded: services.feeds.isHealthy() ? [] : ['repository'] }),
  );

  addReadRoutes(app, services, { seated, polls: doors.polls });

  app.post('/bridge/v1/enrol', async (context) => context.json(await enrolment.enrol(context.req.raw), 201));

  app.post('/bridge/v1/heartbeat', async (context) => {
    const { identity, instance } = await seated(context, 'gateway');
    const bytes = await readBody(context.req.raw, config.limits.frameInBytesMax);
    const frame = decodeFrame(bytes, config.limits.frameInBytesMax);
    if (frame?.kind !== 'heartbeat')
      throw new Fault('wire.malformed', { detail: 'The body is one heartbeat frame.' });
    await repository.saveReport(identity.id, { ...frame.report, instance });
    return context.json({ bridgeTimeMs: clock.now() });
  });

  app.put(`${uploadPrefix}*`, async (context) => {
    const visitor = await seated(context, 'shipper');
    const leave = doors.presence.occupy(visitor);
    const path = context.req.path.slice(uploadPrefix.length);
    const stored = await uploads
      .put(visitor.identity, path, context.req.raw)
      .finally(() => leave({ isGone: context.req.raw.signal.aborted }));
    const receipt: UploadReceipt = { receipt: 'isthmus-upload', ...stored, bridgeTimeMs: clock.now() };
    return context.json(receipt, stored.outcome === 'existed' ? 200 : 201, { 'cache-control': 'no-store' });
  });

  app.get('/bridge/v1/stream', () => {
    throw new Fault('request.invalid', { detail: 'This is a WebSocket; send an Upgrade.' });
  });
  const refuse = refuser(services);
  app.notFound(() => refuse(new Fault('request.not_found')));
  app.onError(refuse);
  return app;
}

/** What is published, for those who have no stream. */
function addReadRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  services: Services,
  doors: {
    readonly seated: (context: Call, role: SeatRole) => Promise<Visitor>;
    readonly polls: Polls;
  },
): void {
  const { clock, config } = services;
  const { seated } = doors;
  const snapshots = createSnapshots(services);
  const paced = (context: Call, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
    pacedBody(parts, {
      msMax: config.limits.sendMsMax,
      clock,
      onStalled: () => void context.env.outgoing.destroy(),
    });

  app.get('/bridge/v1/changes', async (context) => {
    const visitor = await seated(context, 'gateway');
    const { signal } = context.req.raw;
    const frames = await doors.polls.answer({ visitor, query: context.req.query(), signal });
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
