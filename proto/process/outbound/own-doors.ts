import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/**
 * The ports at which this very process can be commanded: its node API, and that of a shipper beside it.
 *
 * Whoever writes a definition chooses where the process calls, and none of these asks for a credential: that they are bound to this
 * machine protects them from everybody but those calls. A port may become known late (`admin.port` 0), so it can be added any time.
 */
export class OwnDoors {
  readonly #ports = new Set<number>();
  readonly #told: ((port: number) => void)[] = [];

  /** 0, which is no port yet, is left out. */
  constructor(ports: Iterable<number> = []) {
    for (const port of ports) this.add(port);
  }

  get ports(): readonly number[] {
    return [...this.#ports];
  }

  /** From now on nothing leads there. */
  add(port: number): void {
    if (port === 0 || this.#ports.has(port)) return;
    this.#ports.add(port);
    for (const tell of this.#told) tell(port);
  }

  /** Is told of each port that comes from now on. */
  onAdded(tell: (port: number) => void): void {
    this.#told.push(tell);
  }

  /** Whether an address, or a name that always means this machine, leads to one of them. */
  isBehind(host: string, port: number): boolean {
    return this.#ports.has(port) && isOfThisMachine(host);
  }
}

/** The addresses of this machine's interfaces but link-local ones, as the host of a URL spells them. */
export function ownUrlHosts(): readonly string[] {
  return ownAddresses()
    .filter((address) => !address.startsWith('fe80:'))
    .map((address) => (address.includes(':') ? `[${address}]` : address));
}

function isOfThisMachine(host: string): boolean {
  // RFC 6761 section 6.3.
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const bare = host.replace(/%.*$/, '');
  if (!ipaddr.isValid(bare)) return false;
  const address = ipaddr.process(bare);
  // What is unspecified connects to this machine.
  if (['loopback', 'unspecified'].includes(address.range())) return true;
  const text = address.toNormalizedString();
  return ownAddresses().some((own) => ipaddr.process(own).toNormalizedString() === text);
}

const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
