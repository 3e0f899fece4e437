import { flipping, packing, unpacking } from '../../../data-plane/http/conformance/transforms.ts';
import type { TransformMaker } from '../../../data-plane/http/exchange.ts';
import type { Policy, PolicyCall, StreamHook } from '../../../data-plane/policies/policy.ts';
import { startServingParts } from '../gateway/serving-parts.ts';

/**
 * What a gateway serves with, in a process of its own, whose memory can be looked at from outside, around policies that transform bodies.
 *
 * Argument: the backend's port. Prints `port <n>`. Below /flipped every byte is turned over twice, by two steps, with the length that came; below
 * /packed one step packs what another unpacks, in threads and of no known length. So what arrives is what was sent.
 */
const through = (make: TransformMaker, keepsLength: boolean): StreamHook<PolicyCall, unknown> => ({
  needs: 'stream',
  run(_call, _slot, passing) {
    passing.through(make, keepsLength ? passing.length : undefined);
    return undefined;
  },
});
const flip: Policy = { request: through(flipping, true), response: through(flipping, true) };
const pack = through(packing(0), false);
const unpack = through(unpacking, false);

// Answers pass the last step first.
const policies = {
  flipped: [flip, flip],
  packed: [
    { request: pack, response: unpack },
    { request: unpack, response: pack },
  ],
};
const parts = await startServingParts({ after: () => undefined }, policies, {
  backendPort: Number(process.argv[2]),
  requestBytesMax: 2 ** 40,
  timeoutMs: 600_000,
});
process.stdout.write(`port ${parts.port}\n`);
