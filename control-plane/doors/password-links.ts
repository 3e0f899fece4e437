import type { Context } from 'hono';
import type { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import { detailsOf } from '../../proto/faults/issues.ts';
import { ThrottledFault } from '../access/access.ts';
import { createThrottle, type Throttle } from '../access/throttle.ts';
import {
  askForReset,
  choiceSchema,
  choosePassword,
  resetWishSchema,
} from '../management/account/password-links.ts';
import {
  finishRegistration,
  register as ask,
  registrationEndSchema,
  registrationSchema,
} from '../management/account/registration.ts';
import { incomingOf } from './front.ts';
import { readJsonBody } from './json-body.ts';
import type { Register, SessionDoor } from './sessions.ts';
import { organizationOf } from './sign-in.ts';

/** What somebody who has not signed in may ask for in an hour: links to one name, and in all; the same of wrong links. */
const asksMax = { windowMs: 3_600_000, failuresPerUserMax: 5, failuresPerSourceMax: 30 };

const base = '/management/organizations/{orgId}/users';

/** Passwords of who has none, and accounts: a link by mail, and what is chosen by it. */
export function registerPasswordLinks(register: Register, door: SessionDoor): void {
  const throttle = createThrottle(door.desk.clock, asksMax);
  register('post', `${base}/_reset_password`, async (context) => {
    const { desk, front } = door;
    const { username } = await bodyOf(context, door, resetWishSchema);
    const organization = await demandOrganization(context, door);
    const address = front.sourceOf(context);
    // Each ask counts, whoever there is.
    count(throttle, `${organization}\0${username.toLowerCase()}`, address);
    await askForReset(desk, { organization, username, address });
    return context.body(null, 204);
  });
  register('post', `${base}/_change_password`, async (context) => {
    const { desk, front } = door;
    const { token, password } = await bodyOf(context, door, choiceSchema);
    const organization = await demandOrganization(context, door);
    const address = front.sourceOf(context);
    await byLink(throttle, { token, address }, () =>
      choosePassword(desk, { organization, token, password, address }),
    );
    return context.body(null, 204);
  });
  register('post', `${base}/registration`, async (context) => {
    const { desk, front } = door;
    const wish = await bodyOf(context, door, registrationSchema);
    const organization = await demandOrganization(context, door);
    const address = front.sourceOf(context);
    count(throttle, `${organization}\0${wish.email.toLowerCase()}`, address);
    return context.json(await ask(desk, { organization, wish, address }));
  });
  register('post', `${base}/registration/finalize`, async (context) => {
    const { desk, front } = door;
    const wish = await bodyOf(context, door, registrationEndSchema);
    const organization = await demandOrganization(context, door);
    const address = front.sourceOf(context);
    const finish = () => finishRegistration(desk, { organization, wish, address });
    return context.json(await byLink(throttle, { token: wish.token, address }, finish));
  });
}

/** Does what a link opens; whoever guesses at links waits. Errors: request.too_many. */
async function byLink<T>(
  throttle: Throttle,
  { token, address }: { readonly token: string; readonly address: string },
  work: () => Promise<T>,
): Promise<T> {
  const retryAfterMs = throttle.waitMs('', address);
  if (retryAfterMs > 0) throw new ThrottledFault(retryAfterMs);
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault && error.code === 'passwordLink.invalid') throttle.wrong(token, address);
    throw error;
  }
}

function count(throttle: Throttle, name: string, source: string): void {
  const retryAfterMs = throttle.waitMs(name, source);
  if (retryAfterMs > 0) throw new ThrottledFault(retryAfterMs);
  throttle.wrong(name, source);
}

async function demandOrganization(context: Context, { desk }: SessionDoor): Promise<string> {
  const organization = await organizationOf(desk, { orgId: context.req.param('orgId'), envId: undefined });
  if (organization === undefined)
    throw new Fault('request.not_found', { detail: 'There is no such organization.' });
  return organization;
}

/** Errors: request.invalid with every wrong field. */
async function bodyOf<Body>(
  context: Context,
  { desk, bodyMsMax }: SessionDoor,
  schema: z.ZodType<Body>,
): Promise<Body> {
  const source = { incoming: incomingOf(context), msMax: bodyMsMax, clock: desk.clock };
  const read = schema.safeParse((await readJsonBody(context.req.raw, source)) ?? {});
  if (!read.success) throw new Fault('request.invalid', { details: detailsOf(read.error.issues, '') });
  return read.data;
}
