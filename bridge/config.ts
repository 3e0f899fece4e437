import { z } from 'zod';
import { former, httpUrl, section } from '../proto/process/config.ts';
import { ListenHost, ListenPort } from '../proto/process/listen-settings.ts';
import { lameDuckMsSchema } from '../proto/process/listening/ending.ts';
import { BridgeListenTls } from '../proto/process/listening/tls-settings.ts';
import { NetworkSchema } from '../proto/process/peers.ts';

const ms = z.int().min(1);
const bytes = z.int().min(1);

/** Settings of the bridge; deploy adds those of the repository and the blob store that it hands in. */
export const bridgeConfigSchema = z.strictObject({
  listen: section({
    host: ListenHost.default('0.0.0.0').describe('Address to listen on.'),
    port: ListenPort.default(18_092).describe('Port; 0 takes a free one.'),
    tls: BridgeListenTls,
    trustedProxies: z
      .array(NetworkSchema)
      .default([])
      .describe(
        'Networks of proxies in front whose X-Forwarded-For is believed; behind one that is not named here, all gateways share the bounds of one source.',
      ),
  }),
  publicUrls: z
    .array(httpUrl())
    .default([])
    .describe(
      'URLs under which gateways dial this bridge; an assertion must name one. Needed when it listens on every address.',
    ),
  metrics: former('is gone: metrics are on the node API (admin.port), never on the port that gateways dial'),
  admin: section({
    host: ListenHost.default('127.0.0.1').describe('Address of the node API (health, metrics).'),
    port: ListenPort.default(18_093).describe('Port of the node API; 0 takes a free one.'),
  }),
  lameDuckMs: lameDuckMsSchema,
  limits: section({
    streamsMax: z.int().min(1).default(5_000).describe('Open streams.'),
    newStreamsPerSecondMax: z
      .int()
      .min(1)
      .default(200)
      .describe('New streams per second; the rest is told when to retry.'),
    enrolmentsPerSecondMax: z.int().min(1).default(20).describe('Enrolment attempts per second.'),
    strangersPerSourceMax: z
      .int()
      .min(1)
      .default(1_000)
      .describe('Connections from one address (IPv6: one /64) on which nobody has proven yet whose he is.'),
    strangerCallsPerSourcePerSecondMax: z
      .int()
      .min(1)
      .default(200)
      .describe(
        'Calls from one address (IPv6: one /64) per second that prove nothing: nonces, enrolments, refused proofs.',
      ),
    enrolmentsPerSourcePerSecondMax: z
      .int()
      .min(1)
      .default(5)
      .describe('Enrolment attempts from one address (IPv6: one /64) per second.'),
    callsPerGatewayPerSecondMax: z
      .int()
      .min(40)
      .default(200)
      .describe('Calls of one gateway and its shipper per second; a new stream counts as 20.'),
    pollsMax: z.int().min(1).default(5_000).describe('Long polls waiting at once.'),
    framesInPerSecondMax: z
      .int()
      .min(1)
      .default(100)
      .describe('Frames and pings of one stream per second, 16 KiB each; past it the stream is read later.'),
    frameInBytesMax: bytes.default(4 * 1024 * 1024).describe('One frame from a gateway.'),
    uploadBytesMax: bytes.default(64 * 1024 * 1024).describe('One upload.'),
    uploadsInFlightBytesMax: bytes.default(256 * 1024 * 1024).describe('All uploads in memory together.'),
    snapshotCacheBytesMax: bytes.default(256 * 1024 * 1024).describe('Compressed snapshots kept in memory.'),
    bodyWindowMs: ms.default(10_000).describe('An upload that brings less than 16 KiB in so long is ended.'),
    helloMsMax: ms.default(10_000).describe('Wait for the first frame of a stream.'),
    sendMsMax: ms.default(30_000).describe('A gateway that takes no bytes for so long is disconnected.'),
    pingEveryMs: ms
      .default(20_000)
      .describe('A ping this often; after 1.5 times of silence a stream is dead.'),
    pollEveryMs: ms
      .default(2_000)
      .describe('How often heads and revocations are read; notifications only hurry this.'),
    aliveMsMax: ms
      .default(1_000)
      .describe('Wait for the pong of an old stream when its identity appears again.'),
    seatLeaseMs: ms
      .default(15_000)
      .describe('How long a process of an identity keeps its seat without a sign of life.'),
    pollWaitMsMax: ms.default(30_000).describe('Longest wait of a long poll.'),
  }),
});

/** The bridge's settings as the room gets them. */
export type BridgeConfig = z.output<typeof bridgeConfigSchema>;
/** The bounds of the bridge. */
export type BridgeLimits = BridgeConfig['limits'];
