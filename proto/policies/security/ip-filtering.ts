import { isIP } from 'node:net';
import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { definePolicy } from '../policy-schema.ts';

const hostName = /^(?=.{1,253}$)(?:[\w-]{1,63}\.)*[\w-]*[a-z_][\w-]*\.?$/i;

/** One source of a list: an address, a range of them, or a name. */
export type IpEntry =
  | { readonly kind: 'address'; readonly address: string }
  /** `bits` of IPv4 are 0 to 32, of IPv6 0 to 128. */
  | { readonly kind: 'range'; readonly address: string; readonly bits: number }
  | { readonly kind: 'name'; readonly name: string };

/** Reads the text of one entry of a list, which may be several with commas between them; undefined where a part is none of them. */
export function readIpEntries(text: string): readonly IpEntry[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const entries = parts.flatMap((part): readonly (IpEntry | undefined)[] =>
    part === '' ? [] : [readOne(part)],
  );
  return entries.includes(undefined) ? undefined : (entries as readonly IpEntry[]);
}

function readOne(part: string): IpEntry | undefined {
  if (isIP(part) !== 0) return part.includes('%') ? undefined : { kind: 'address', address: part };
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(part) ?? [];
  const family = isIP(address);
  if (family !== 0) {
    const bits = Number(digits);
    return bits > (family === 4 ? 32 : 128) || address.includes('%')
      ? undefined
      : { kind: 'range', address, bits };
  }
  // What ends in a number is an address that is none (RFC 1123 section 2.1), and hostName asks for a letter there.
  return hostName.test(part) ? { kind: 'name', name: part } : undefined;
}

const entries = z
  .array(
    template(
      z
        .string()
        .max(8_192)
        .refine(
          (text) => (readIpEntries(text) ?? []).length > 0,
          'must be an address, a range such as 10.0.0.0/8, or a host name; several have commas between them',
        ),
    ),
  )
  .max(1_000)
  .default([]);

/** Lets callers from some addresses pass, and no others. */
export const ipFiltering = definePolicy({
  id: 'ip-filtering',
  title: 'IP filtering',
  summary: 'Lets callers pass or refuses them by their addresses.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z
      .strictObject({
        matchAllFromXForwardedFor: z.boolean().default(false),
        useCustomIPAddress: z.boolean().default(false),
        /** One address, or several with commas between them. */
        customIPAddress: template(z.string().max(8_192)).prefault(''),
        whitelistIps: entries,
        blacklistIps: entries,
        /** Of host names. */
        lookupIpVersion: z.enum(['IPV4', 'IPV6', 'ALL']).default('ALL'),
        /** Whether the first and the last address of an IPv4 range of the white list belong to it. */
        isInclusiveHostCount: z.boolean().default(false),
      })
      .superRefine(({ useCustomIPAddress, customIPAddress }, context) => {
        if (useCustomIPAddress && customIPAddress.kind === 'constant' && customIPAddress.value.trim() === '')
          context.addIssue({
            code: 'custom',
            path: ['customIPAddress'],
            message: 'is required where useCustomIPAddress is true',
          });
      }),
  errors: {
    IP_FILTERING_FORBIDDEN: { status: 403, message: 'The address {address} is not let in here' },
  },
  docs: 'An entry is an address, a range, or a host name, which is asked of DNS (`policy.dns` of the gateway); one text may hold several with commas between them.\n\n`blacklistIps` is asked first: a caller with an address that is in it is refused, also where IPv6 carries it (mapped, NAT64, 6to4, Teredo, ISATAP; a prefix of a translator of your own is a range to name). Then, where `whitelistIps` has entries, one of his addresses has to be in it.\n\nHis address is that of the connection or, behind the proxies of `listen.trustedProxies`, the one that these say. With `matchAllFromXForwardedFor` the black list is asked about every address of `X-Forwarded-For`, and the white list about his own and those of the proxies that handed it on; what stands before them he may have written himself. `customIPAddress` takes the place of both; where it comes to nothing, or to no address, the caller is refused.\n\nA name that DNS does not know is no reason to let in, and one of the black list is a reason to refuse. The first and the last address of an IPv4 range of the white list are no hosts and are let in with `isInclusiveHostCount` alone (/31 and /32 have no such); the black list takes the whole range.',
  example: () => ({
    about:
      'Callers come from two networks, but for one address. The proxy in front is trusted (`listen.trustedProxies`).',
    request: [
      {
        policy: 'ip-filtering',
        configuration: { whitelistIps: ['192.0.2.0/24', '2001:db8::/32'], blacklistIps: ['192.0.2.66'] },
      },
    ],
    settings: { listen: { trustedProxies: ['127.0.0.1'] } },
    calls: [
      { request: { headers: { 'X-Forwarded-For': '192.0.2.7' } }, answer: { body: 'hello' } },
      { request: { headers: { 'X-Forwarded-For': '2001:db8::7' } }, answer: { body: 'hello' } },
      {
        request: { headers: { 'X-Forwarded-For': '192.0.2.66' } },
        received: 'nothing',
        answer: { status: 403, body: '…192.0.2.66…' },
      },
      {
        about: 'What a caller writes himself counts for nothing.',
        request: { headers: { 'X-Forwarded-For': '192.0.2.7, 203.0.113.9' } },
        received: 'nothing',
        answer: { status: 403 },
      },
    ],
  }),
});
