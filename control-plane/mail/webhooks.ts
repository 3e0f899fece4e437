import { createHmac, randomUUID } from 'node:crypto';
import { Fault } from '../../proto/faults/fault.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { Outbound } from '../../proto/process/outbound/outbound.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import { type Hook, type HookFacts, keyOf } from './hooks.ts';
import type { MailingChange } from './mail.ts';
import { type Delivery, emptyOutbox, type OutboxOptions, type Sending } from './outbox.ts';
import { countWaiting, insertOutgoing, type Outgoing } from './outbox.store.ts';

/** Whom to call. */
export interface WebhookTarget {
  readonly settingId: string;
  readonly url: string;
  /** What {@link Webhooks.seal} made. */
  readonly sealedSecret: Uint8Array | null;
}

/** Calls URLs that tenants name, when something happened. */
export interface Webhooks {
  /** Seals what calls of a setting are signed with. */
  seal(settingId: string, secret: string): Uint8Array;
  /** Has a URL called when the change commits; false when too many of the organization wait. */
  call(
    now: MailingChange,
    wish: { readonly target: WebhookTarget; readonly hook: Hook; readonly facts: HookFacts },
  ): Promise<boolean>;
}

/** What lies sealed in the queue. */
interface Call {
  readonly url: string;
  readonly body: string;
  readonly secret?: string | undefined;
}

const waitingMax = 1_000;
const ageMsMax = 24 * 3_600_000;
const keptMs = 7 * 24 * 3_600_000;
const triesMax = 8;
/** Each may be silent until its time is over: so many organizations' are no others' delay. */
const runningMax = 32;
const answerMsMax = 10_000;
/** Nobody reads it; more of it is not waited for. */
const answerBytesMax = 64 * 1_024;

/** Makes them. */
export function createWebhooks({ keyring }: { readonly keyring: Keyring }): Webhooks {
  return {
    seal: (id, secret) => keyring.seal(Buffer.from(secret), webhookSecretContext(id)),
    async call({ trx, organization, nowMs }, { target, hook, facts }) {
      const queue = 'outgoing_webhook';
      if ((await countWaiting(trx, queue, { organization, most: waitingMax })) >= waitingMax) return false;
      const id = randomUUID();
      const { settingId, sealedSecret, url } = target;
      const secret =
        sealedSecret === null
          ? undefined
          : Buffer.from(keyring.open(sealedSecret, webhookSecretContext(settingId))).toString();
      const call: Call = { url, body: bodyOf(hook, facts), secret };
      await insertOutgoing(trx, queue, {
        id,
        organization,
        template: keyOf(hook),
        recipient: new URL(url).host,
        sealed: keyring.seal(Buffer.from(JSON.stringify(call)), webhookContext({ organization, id })),
        state: 'WAITING',
        tries: 0,
        created_at_ms: nowMs,
        due_at_ms: nowMs,
        ends_at_ms: nowMs + ageMsMax,
        problem: null,
      });
      return true;
    },
  };
}

/** What the secret of a setting is bound to. */
export const webhookSecretContext = (settingId: string): string => `notification-setting/${settingId}/secret`;

/** What a call that waits is bound to. */
export const webhookContext = ({ organization, id }: Pick<Outgoing, 'organization' | 'id'>): string =>
  `organization/${organization}/webhook/${id}`;

/** The reference product's shape; what the hook has nothing to say of is left out. */
function bodyOf({ id, scope }: Hook, { owner, user, ...facts }: HookFacts): string {
  const filled = Object.entries({ ...facts, owner, user }).flatMap(([name, members]) => {
    const said = Object.entries(members).filter(([, text]) => text !== '');
    return said.length === 0 ? [] : [[name, Object.fromEntries(said)] as const];
  });
  return JSON.stringify({ event: id, scope, ...Object.fromEntries(filled) });
}

/** Calls what waits, until the signal. A receiver that does not answer with 2xx is called again, later each time. */
export function sendWebhooks(
  options: Pick<OutboxOptions, 'storage' | 'clock' | 'log'> & {
    readonly keyring: Keyring;
    readonly metrics: Metrics;
    readonly outbound: Pick<Outbound, 'request'>;
  },
  signal: AbortSignal,
): Sending {
  const { metrics, clock, keyring, outbound } = options;
  const ended = metrics.counter('isthmus_webhook_total', 'Calls of webhooks that were made, or given up.', [
    'outcome',
  ]);
  const waiting = metrics.gauge(
    'isthmus_webhook_waiting',
    'Calls of webhooks that wait, in all organizations.',
  );
  const deliver = async (row: Outgoing, ending: AbortSignal): Promise<Delivery> => {
    try {
      const opened = keyring.open(row.sealed ?? new Uint8Array(), webhookContext(row));
      const { url, body, secret } = JSON.parse(Buffer.from(opened).toString()) as Call;
      const answer = await outbound.request(url, {
        method: 'POST',
        headers: headersOf(row, { body, secret, nowMs: clock.now() }),
        body,
        timeoutMs: answerMsMax,
        bodyBytesMax: answerBytesMax,
        signal: ending,
      });
      // Read in any case: a body that nobody reads would hold its connection.
      await answer.bytes().catch(() => undefined);
      const isTaken = answer.status >= 200 && answer.status < 300;
      return isTaken
        ? { kind: 'sent' }
        : { kind: 'refused', problem: `It answers with the status ${answer.status}.`, isForGood: false };
    } catch (error) {
      const problem = error instanceof Fault ? error.detail : 'It cannot be called.';
      const isForGood = error instanceof Fault && /^(secrets|outbound\.refused)/.test(error.code);
      return { kind: 'refused', problem, isForGood };
    }
  };
  return emptyOutbox(
    {
      ...options,
      queue: 'outgoing_webhook',
      name: 'call of a webhook',
      keptMs,
      triesMax,
      runningMax,
      deliver,
      onEnded: (outcome) => ended.inc({ outcome }),
      onCounted: (count) => waiting.set(count),
    },
    signal,
  );
}

/**
 * The signature is `t=<s since the epoch>,v1=<hex>`, an HMAC-SHA256 over `<t>.<body>`: whoever has the secret knows who calls, and that
 * nobody sends an old call again.
 */
function headersOf(
  { id, template }: Outgoing,
  { body, secret, nowMs }: Pick<Call, 'body' | 'secret'> & { readonly nowMs: number },
): Record<string, string> {
  const [scope = '', event = ''] = template.split('.');
  const seconds = Math.floor(nowMs / 1_000);
  const plain = {
    'content-type': 'application/json',
    'x-gravitee-event': event,
    'x-gravitee-event-scope': scope,
    'x-isthmus-delivery': id,
  };
  if (secret === undefined) return plain;
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return { ...plain, 'x-isthmus-signature': `t=${seconds},v1=${signature}` };
}
