import { z } from 'zod';
import { secret, section } from '../settings.ts';

const way = {
  allow: z
    .array(z.string())
    .default([])
    .describe(
      'Hosts, addresses, CIDR ranges or URLs that may be called although they are loopback, link-local or private.',
    ),
  proxy: section({
    url: secret()
      .optional()
      .describe('http(s)://user:password@host:port of a CONNECT proxy. Default: HTTPS_PROXY.'),
  }),
  noProxy: z
    .array(z.string())
    .optional()
    .describe('Hosts that are dialled directly. Default: NO_PROXY, when the proxy comes from HTTPS_PROXY.'),
  caFile: z.string().optional().describe('PEM file of authorities that are trusted beside the public ones.'),
};
const connectMsMax = z.number().int().min(1).default(5_000).describe('Longest time to connect, in ms.');

/** The section `outbound` of a process's configuration; apart from the client, so that who only reads settings loads none. */
export const outboundSettings = section({
  ...way,
  certFile: z.string().optional().describe('PEM file of the client certificate.'),
  keyFile: z.string().optional().describe('PEM file of its private key.'),
  connectMsMax,
  responseBytesMax: z
    .number()
    .int()
    .min(1)
    .default(64 * 1024 * 1024)
    .describe('Largest answer that is read, in bytes.'),
});

/** The same of a process that calls whom its tenants name: it shows them no certificate, and bounds each kind of answer by itself. */
export const tenantsOutboundSettings = section({ ...way, connectMsMax });

/** See {@link outboundSettings}. */
export type OutboundSettings = z.output<typeof outboundSettings>;
