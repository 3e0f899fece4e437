import { createSealingKeyPair, createSigningKeyPair } from '../../../proto/trust/keys.ts';
import type { ManagementClient } from '../control-plane/management-client.ts';
import type { MemoryGateway } from './memory-repository.ts';

/** Enrols keys of the test's own at a real bridge: somebody with a good token, who keeps to no client of ours. */
export async function enrolStranger(
  client: ManagementClient,
  bridge: string,
  wish: { readonly fleet?: string } = {},
): Promise<MemoryGateway> {
  const fleets = await client.call<{ data: { id: string }[] }>('GET', '/v2/organizations/DEFAULT/fleets');
  const fleet = wish.fleet ?? fleets.data[0]?.id ?? '';
  const path = `/v2/organizations/DEFAULT/fleets/${fleet}/enrolment-tokens`;
  const { token } = await client.call<{ token: string }>('POST', path, { body: { bridge, usesMax: 1 } });
  const signing = createSigningKeyPair();
  const sealing = createSealingKeyPair();
  const text = (key: Uint8Array): string => Buffer.from(key).toString('base64url');
  const answer = await fetch(`${bridge}/bridge/v1/enrol`, {
    method: 'POST',
    body: JSON.stringify({
      token,
      signingKey: text(signing.publicKey),
      sealingKey: text(sealing.publicKey),
      hostname: 'stranger',
      version: '1',
    }),
  });
  if (answer.status !== 201) throw new Error(`enrolment: ${answer.status} ${await answer.text()}`);
  const { gateway: id, ...grant } = (await answer.json()) as {
    gateway: string;
    organization: string;
    fleet: string;
    environments: string[];
    tags: string[];
  };
  return {
    identity: {
      id,
      grant: { ...grant, tenant: undefined },
      signingKey: signing.publicKey,
      sealingKey: sealing.publicKey,
      isRevoked: false,
    },
    signing,
    sealing,
  };
}
