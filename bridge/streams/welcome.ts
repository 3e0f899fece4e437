import { Fault } from '../../proto/faults/fault.ts';
import { protocolVersion, type HelloFrame, type WelcomeFrame } from '../../proto/wire/frames.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import type { GatewayIdentity } from '../../proto/wire/published.ts';
import type { Events } from '../admission/events.ts';
import type { Services } from '../services.ts';

/** A bridge speaks to gateways of its own version and of the two before. */
const protocolsBehindMax = 2;

/** What is granted, in the highest protocol version that both sides speak. */
export function welcomeOf(
  identity: GatewayIdentity,
  protocol: number,
  { clock, config }: Pick<Services, 'clock' | 'config'>,
): WelcomeFrame {
  const { organization, fleet, environments, tags, tenant } = identity.grant;
  return {
    kind: 'welcome',
    protocol: Math.min(protocol, protocolVersion),
    gateway: identity.id,
    organization,
    fleet,
    environments,
    tags,
    ...(tenant !== undefined && { tenant }),
    bridgeTimeMs: clock.now(),
    frameBytesMax: wireLimits.frameBytesMax,
    pingMs: config.limits.pingEveryMs,
  };
}

/**
 * Refuses a protocol that is too old, and reports environments and tags that were asked for but not granted; the
 * traffic of what is granted goes on. A newer gateway is welcome: it speaks our version.
 */
export function isAskAllowed(hello: HelloFrame, identity: GatewayIdentity, events: Events): void {
  const { protocol } = hello;
  if (protocol < Math.max(1, protocolVersion - protocolsBehindMax))
    throw new Fault('wire.malformed', { detail: `hello.protocol: ${protocol} is no longer spoken` });
  const { environments, tags } = identity.grant;
  const gateway = identity.id;
  const foreign = hello.environments
    .map(({ environment }) => environment)
    .filter((one) => !environments.includes(one));
  if (foreign.length > 0)
    events.report({ gateway, kind: 'grant.environment_refused', detail: list(foreign) });
  // A fleet without tags takes everything, so any wish is narrower than its grant.
  const wished = tags.length === 0 ? [] : hello.tags.filter((tag) => !tags.includes(tag));
  if (wished.length > 0) events.report({ gateway, kind: 'grant.tag_refused', detail: list(wished) });
}

function list(names: readonly string[]): string {
  const shownMax = 10;
  const more = names.length > shownMax ? ` and ${names.length - shownMax} more` : '';
  return `asked for but not granted: ${names.slice(0, shownMax).join(', ')}${more}`;
}
