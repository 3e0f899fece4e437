import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What a database says of a network; only kinds that the tests need. */
type GeoValue = string | number | { readonly [name: string]: GeoValue } | readonly GeoValue[];

interface Node {
  readonly sides: [Node | GeoValue | undefined, Node | GeoValue | undefined];
  readonly isNode: true;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'isNode' in value;
const node = (): Node => ({ sides: [undefined, undefined], isNode: true });

/**
 * A database in MaxMind's format 2.0 (maxmind.github.io/MaxMind-DB), written from its specification: records of 24 bits, no pointers.
 *
 * Shape:  `{ '192.0.2.0/24': { country: { iso_code: 'FR' } } }`; networks do not overlap.
 */
export function geoDatabase(networks: Readonly<Record<string, GeoValue>>): Buffer {
  const root = node();
  for (const [network, value] of Object.entries(networks)) put(root, network, value);
  const nodes: Node[] = [];
  const number = (each: Node): void => {
    nodes.push(each);
    for (const side of each.sides) if (isNode(side)) number(side);
  };
  number(root);
  const places = new Map(nodes.map((each, index) => [each, index]));
  const values: Buffer[] = [];
  let offset = 0;
  const recordOf = (side: Node | GeoValue | undefined): number => {
    if (side === undefined) return nodes.length;
    if (isNode(side)) return places.get(side) ?? 0;
    const bytes = encoded(side);
    values.push(bytes);
    offset += bytes.length;
    return nodes.length + 16 + offset - bytes.length;
  };
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [index, { sides }] of nodes.entries())
    for (const [at, side] of sides.entries()) tree.writeUIntBE(recordOf(side), index * 6 + at * 3, 3);
  const metadata = encoded({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_767_225_600,
    database_type: 'Test-City',
    description: { en: 'of a test' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  });
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...values,
    Buffer.from('abcdef', 'hex'),
    Buffer.from('MaxMind.com'),
    metadata,
  ]);
}

/** IPv4 stands in the first 96 bits of zeros. */
function put(root: Node, network: string, value: GeoValue): void {
  const [address = '', length = ''] = network.split('/');
  const bytes = ipaddr.parse(address).toByteArray();
  const isLong = isIPv6(address);
  const bits = [
    ...(isLong ? [] : Array.from({ length: 96 }, () => 0)),
    ...bytes.flatMap((byte) => Array.from({ length: 8 }, (_, at) => (byte >> (7 - at)) & 1)),
  ].slice(0, Number(length) + (isLong ? 0 : 96));
  let at = root;
  for (const [index, bit] of bits.entries()) {
    if (index === bits.length - 1) at.sides[bit === 0 ? 0 : 1] = value;
    else {
      const side = at.sides[bit === 0 ? 0 : 1];
      const next = isNode(side) ? side : node();
      at.sides[bit === 0 ? 0 : 1] = next;
      at = next;
    }
  }
}

function encoded(value: GeoValue): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([control(2, text.length), text]);
  }
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0) {
      const whole = Buffer.alloc(4);
      whole.writeUInt32BE(value);
      return Buffer.concat([control(6, 4), whole]);
    }
    const double = Buffer.alloc(8);
    double.writeDoubleBE(value);
    return Buffer.concat([control(3, 8), double]);
  }
  if (isList(value)) return Buffer.concat([control(11, value.length), ...value.map(encoded)]);
  const entries = Object.entries(value);
  return Buffer.concat([
    control(7, entries.length),
    ...entries.flatMap(([name, each]) => [encoded(name), encoded(each)]),
  ]);
}

const isList = (value: GeoValue): value is readonly GeoValue[] => Array.isArray(value);

/** Types past 7 are extended; sizes past 28 stand in a byte more. */
function control(type: number, size: number): Buffer {
  const short = size < 29 ? size : 29;
  const first = type > 7 ? [short, type - 7] : [(type << 5) | short];
  return Buffer.from(size < 29 ? first : [...first, size - 29]);
}
