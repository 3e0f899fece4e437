import { createSocket, type Socket } from 'node:dgram';
import { createServer, isIP, type Server } from 'node:net';
import type { TestContext } from 'node:test';

/** One record of a zone; `ttl` in seconds. */
export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string; readonly ttl?: number }
  | {
      readonly type: 'SRV';
      readonly target: string;
      readonly port: number;
      readonly priority?: number;
      readonly weight?: number;
      readonly ttl?: number;
    };

/** A DNS server on UDP and TCP of this machine, whose zone and faults a test chooses. */
export interface DnsServer {
  /** address:port. */
  readonly server: string;
  /** Records by name, lower case, without the dot at the end; a name that is not there does not exist. */
  readonly zone: Map<string, readonly ZoneRecord[]>;
  /** Questions so far: `A orders.test over udp`. */
  readonly asked: readonly string[];
  /** From now on: SERVFAIL, REFUSED, no answer, or bytes that are no message; `truncated` sends askers from UDP to TCP. */
  fault: 'servfail' | 'refused' | 'silence' | 'garbage' | 'truncated' | undefined;
}

const types: ReadonlyMap<number, ZoneRecord['type']> = new Map([
  [1, 'A'],
  [28, 'AAAA'],
  [33, 'SRV'],
]);
const codes = { servfail: 2, refused: 5, noName: 3 } as const;

/** Starts one with an empty zone. */
export async function startDns(t: Pick<TestContext, 'after'>): Promise<DnsServer> {
  const asked: string[] = [];
  const zone: DnsServer['zone'] = new Map();
  const { udp, tcp } = await bindBoth();
  const { port } = udp.address();
  t.after(() => {
    udp.close();
    tcp.close();
  });
  const dns: DnsServer = { server: `127.0.0.1:${port}`, zone, asked, fault: undefined };
  const answer = (query: Buffer, over: 'udp' | 'tcp'): Buffer | undefined => {
    const { name, type, end } = questionOf(query);
    asked.push(`${types.get(type) ?? type} ${name} over ${over}`);
    if (dns.fault === 'silence') return undefined;
    if (dns.fault === 'garbage') return Buffer.from('no message of DNS at all');
    const records = zone.get(name.toLowerCase());
    const isCut = dns.fault === 'truncated' && over === 'udp';
    const code =
      dns.fault === 'servfail' || dns.fault === 'refused'
        ? codes[dns.fault]
        : records === undefined
          ? codes.noName
          : 0;
    const answers = code !== 0 || isCut ? [] : (records ?? []).filter((one) => one.type === types.get(type));
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    // An answer, authoritative, recursion desired as it was asked; RFC 1035 section 4.1.1.
    head.writeUInt16BE(0x8400 | (query.readUInt16BE(2) & 0x0100) | (isCut ? 0x0200 : 0) | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    return Buffer.concat([head, query.subarray(12, end), ...answers.map(recordBytes)]);
  };
  udp.on('message', (query, from) => {
    const bytes = answer(query, 'udp');
    if (bytes !== undefined) udp.send(bytes, from.port, from.address);
  });
  tcp.on('connection', (socket) => {
    socket.on('error', () => undefined);
    let seen = Buffer.alloc(0);
    socket.on('data', (piece: Buffer) => {
      seen = Buffer.concat([seen, piece]);
      while (seen.length >= 2 && seen.length >= 2 + seen.readUInt16BE(0)) {
        const length = seen.readUInt16BE(0);
        const bytes = answer(seen.subarray(2, 2 + length), 'tcp');
        seen = seen.subarray(2 + length);
        if (bytes === undefined) continue;
        const prefix = Buffer.alloc(2);
        prefix.writeUInt16BE(bytes.length, 0);
        socket.write(Buffer.concat([prefix, bytes]));
      }
    });
  });
  return dns;
}

/** UDP and TCP on one port: what is free for the one somebody else may have for the other. */
async function bindBoth(tries = 20): Promise<{ readonly udp: Socket; readonly tcp: Server }> {
  const udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  const tcp = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(udp.address().port, '127.0.0.1', resolve);
    });
    return { udp, tcp };
  } catch (error) {
    udp.close();
    if (tries === 1) throw error;
    return bindBoth(tries - 1);
  }
}

function questionOf(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length !== 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function recordBytes(record: ZoneRecord): Buffer {
  const content = contentOf(record);
  const head = Buffer.alloc(12);
  // The name is that of the question, which stands behind the head.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(record.type === 'A' ? 1 : record.type === 'AAAA' ? 28 : 33, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(record.ttl ?? 60, 6);
  head.writeUInt16BE(content.length, 10);
  return Buffer.concat([head, content]);
}

function contentOf(record: ZoneRecord): Buffer {
  if (record.type === 'SRV') {
    const head = Buffer.alloc(6);
    head.writeUInt16BE(record.priority ?? 10, 0);
    head.writeUInt16BE(record.weight ?? 1, 2);
    head.writeUInt16BE(record.port, 4);
    return Buffer.concat([head, nameBytes(record.target)]);
  }
  if (isIP(record.address) === 4) return Buffer.from(record.address.split('.').map(Number));
  const [before = '', after = ''] = record.address.split('::');
  const groups = (text: string): number[] =>
    text.split(':').flatMap((group) => (group === '' ? [] : [Number.parseInt(group, 16)]));
  const [first, last] = [groups(before), groups(after)];
  const bytes = Buffer.alloc(16);
  [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last].forEach(
    (group, at) => bytes.writeUInt16BE(group, at * 2),
  );
  return bytes;
}
