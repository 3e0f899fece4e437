import { ReadableStream } from 'node:stream/web';
import { Hono, type Context } from 'hono';
import { Fault } from '../proto/faults/fault.ts';
import { decodeFrame } from '../proto/wire/frames.ts';
import type { UploadReceipt } from '../proto/wire/receipt.ts';
import type { Admission } from './admission.ts';
import { readBody } from './body.ts';
import { createEnrolment } from './enrolment.ts';
import { environmentOf, sourceOf, type Polls } from './polls.ts';
import { answerSnapshot } from './ranges.ts';
import { refusalOf } from './refusal.ts';
import type { Services } from './services.ts';
import { createSnapshots } from './snapshots.ts';
import { createUploads } from './uploads.ts';

const uploadPrefix = '/bridge/v1/uploads/';
const framesType = 'application/vnd.isthmus.frames';

/** The bridge's HTTP endpoints; the stream is an Upgrade and stands in streams.ts. */
export function createApp(services: Services, doors: { admission: Admission; polls: Polls }): Hono {
  const { clock, config, log, metrics, repository, feeds } = services;
  const app = new Hono();
  const snapshots = createSnapshots(services);
  const uploads = createUploads(services);
  const enrolment = createEnrolment(services);
  const admit = (context: Context) =>
    doors.admission.admit({
      authorization: context.req.header('authorization'),
      host: context.req.header('host'),
    });

  app.get('/health', (context) => {
    const isHealthy = feeds.isHealthy();
    return context.json({
      status: isHealthy ? 'ok' : 'degraded',
      repository: isHealthy ? 'ok' : 'unavailable',
    });
  });
  if (config.metrics) {
    app.get(
      '/metrics',
      async () => new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } }),
    );
  }

  app.get('/bridge/v1/changes', async (context) => {
    const visitor = await admit(context);
    const { signal } = context.req.raw;
    const frames = await doors.polls.answer({ visitor, query: context.req.query(), signal });
    return new Response(ReadableStream.from(frames) as ConstructorParameters<typeof Response>[0], {
      headers: { 'content-type': framesType, 'cache-control': 'no-store' },
    });
  });

  app.get('/bridge/v1/snapshot', async (context) => {
    const { identity } = await admit(context);
    const at = environmentOf(identity, context.req.query('environment'));
    const snapshot = await snapshots.of(sourceOf(services, identity, at));
    return answerSnapshot(snapshot, context.req.raw.headers);
  });

  app.post('/bridge/v1/enrol', async (context) => context.json(await enrolment.enrol(context.req.raw), 201));

  app.post('/bridge/v1/heartbeat', async (context) => {
    const { identity, instance } = await admit(context);
    const bytes = await readBody(context.req.raw, config.limits.frameInBytesMax);
    const frame = decodeFrame(bytes, config.limits.frameInBytesMax);
    if (frame?.kind !== 'heartbeat')
      throw new Fault('wire.malformed', { detail: 'The body is one heartbeat frame.' });
    await repository.saveReport(identity.id, { ...frame.report, instance });
    return context.json({ bridgeTimeMs: clock.now() });
  });

  app.put(`${uploadPrefix}*`, async (context) => {
    const { identity } = await admit(context);
    const stored = await uploads.put(identity, context.req.path.slice(uploadPrefix.length), context.req.raw);
    const receipt: UploadReceipt = { receipt: 'isthmus-upload', ...stored, bridgeTimeMs: clock.now() };
    return context.json(receipt, stored.outcome === 'existed' ? 200 : 201, { 'cache-control': 'no-store' });
  });

  app.get('/bridge/v1/stream', () => {
    throw new Fault('request.invalid', { detail: 'This is a WebSocket; send an Upgrade.' });
  });
  const refuse = (error: unknown): Response => {
    if (!(error instanceof Fault)) log.error({ err: error }, 'a request failed');
    const { status, headers, body } = refusalOf(error, clock.now());
    return new Response(JSON.stringify(body), { status, headers });
  };
  app.notFound(() => refuse(new Fault('request.not_found')));
  app.onError(refuse);
  return app;
}
