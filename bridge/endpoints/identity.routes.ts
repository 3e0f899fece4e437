import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Visitor } from '../admission/admission.ts';
import { seatWishOf, type Claims } from '../admission/claims.ts';
import type { Nonces } from '../admission/nonces.ts';

/** The endpoints by which a process proves who it is: nonces on every answer, and the claim of a seat. */
export function addIdentityRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  {
    admit,
    claims,
    nonces,
    sourceOf,
  }: {
    readonly admit: (context: Context<{ Bindings: HttpBindings }>) => Promise<Visitor>;
    readonly claims: Claims;
    readonly nonces: Nonces;
    readonly sourceOf: (request: HttpBindings['incoming']) => string;
  },
): void {
  // Refusals too: whoever calls often pays no round trip for the next nonce.
  app.use('/bridge/*', async (context, next) => {
    await next();
    const nonce = await nonces.make().catch(() => undefined);
    if (nonce !== undefined) context.res.headers.set('x-isthmus-nonce', nonce);
  });

  app.get('/bridge/v1/nonce', async (context) => {
    const nonce = await nonces.make();
    return context.json({ nonce }, 200, { 'cache-control': 'no-store' });
  });

  app.post('/bridge/v1/seat', async (context) => {
    const visitor = await admit(context);
    const wish = seatWishOf({
      ticket: context.req.header('x-isthmus-ticket'),
      hostname: context.req.header('x-isthmus-hostname'),
    });
    return context.json(await claims.claim(visitor, { ...wish, source: sourceOf(context.env.incoming) }));
  });
}
