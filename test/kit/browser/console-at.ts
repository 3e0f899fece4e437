import type { TestContext } from 'node:test';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { startHttpListener } from '../../../proto/process/listening/http-listener.ts';
import { answerByApp, type WebApp } from '../../../proto/process/listening/web-app.ts';
import { createLog } from '../../../proto/process/log.ts';
import { openScene, type Scene } from '../control-plane/federation.ts';

/** A control plane at an address of its own, which it is told before it is made. Browsers take the provider, at 127.0.0.1, for another site. */
export async function openAt(
  t: TestContext,
  given: { readonly allowPasswords?: boolean; readonly mail?: unknown } = {},
): Promise<{ readonly scene: Scene; readonly origin: string }> {
  const log = createLog({ name: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const behind: { app?: WebApp } = {};
  const port = await startHttpListener({
    name: 'management listener',
    answer: answerByApp(
      {
        fetch: (request, bindings) =>
          behind.app?.fetch(request, bindings) ?? new Response(null, { status: 503 }),
      },
      log,
    ),
    address: { host: '127.0.0.1', port: 0 },
    setting: 'listen',
    log,
    clock: systemClock,
    lifecycle,
  });
  const origin = `http://localhost:${port}`;
  const scene = await openScene(t, ['127.0.0.1'], { publicUrl: origin, ...given });
  behind.app = scene.app as WebApp;
  return { scene, origin };
}
