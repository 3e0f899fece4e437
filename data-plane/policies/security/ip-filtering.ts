import { BlockList } from 'node:net';
import ipaddr from 'ipaddr.js';

import { isConstant, needsOf, type Template } from '../../../proto/expression/template.ts';
import { type IpEntry, readIpEntries } from '../../../proto/policies/security/ip-filtering.ts';
import { spellingsOf } from '../../../proto/process/outbound/carried-addresses.ts';
import { forwardedAddress } from '../../../proto/process/peers.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type PolicyHost, type Verdict } from '../policy.ts';

/** What a list says of a request; undefined where it cannot be read. */
type ListOf = (call: PolicyCall) => AddressList | undefined;

/** Who calls: addresses in one spelling, undefined for what nobody can read. */
interface Callers {
  /** All that is known of his way here. */
  readonly all: readonly (string | undefined)[];
  /** Those that he cannot have made up. */
  readonly believed: readonly (string | undefined)[];
}

/** Judges callers by their addresses: at once, unless a name has to be asked for. */
export const ipFiltering: PolicyFactory<'ip-filtering'> = (config, { refuse, host }) => {
  const { whitelistIps, blacklistIps, customIPAddress, lookupIpVersion } = config;
  const white = listOf(whitelistIps, config.isInclusiveHostCount);
  const black = listOf(blacklistIps, true);
  const look: Look = {
    names: host.ground.names,
    families: lookupIpVersion === 'ALL' ? [4, 6] : lookupIpVersion === 'IPV4' ? [4] : [6],
  };
  /** Names the address that was judged: of several the one of the black list. */
  const refused = ({ request }: PolicyCall, callers?: Callers, closed?: AddressList): Verdict => {
    const judged = config.useCustomIPAddress
      ? (callers?.all.filter((each) => each !== undefined) ?? [])
      : [request.remoteAddress];
    const address =
      judged.find((each) => closed?.closesAny([each]) === true) ?? judged[0] ?? request.remoteAddress;
    return refuse('IP_FILTERING_FORBIDDEN', { parameters: { address } });
  };
  const callersOf = config.useCustomIPAddress
    ? (call: PolicyCall) => chosenCallers(call, customIPAddress)
    : config.matchAllFromXForwardedFor
      ? forwardedCallers
      : onlyCaller;
  return {
    request: {
      needs: needsOf([customIPAddress, ...whitelistIps, ...blacklistIps]),
      run(call: PolicyCall) {
        const callers = callersOf(call);
        const closed = black(call);
        if (callers === undefined || closed === undefined || closed.closesAny(callers.all))
          return refused(call, callers, closed);
        const open = white(call);
        const isLetIn = whitelistIps.length === 0 || open?.holdsAny(callers.believed) === true;
        const isOpenAsked = !isLetIn && open !== undefined && open.names.length > 0;
        if (closed.names.length === 0 && !isOpenAsked) return isLetIn ? CONTINUE : refused(call, callers);
        return judgeByNames({ callers, closed, open: isOpenAsked ? open : undefined, isLetIn }, look).then(
          (passes) => (passes ? CONTINUE : refused(call, callers)),
        );
      },
    },
  };
};

/** Addresses, ranges and names. */
class AddressList {
  readonly #ranges = new BlockList();
  /** Ranges of IPv4 as numbers, each with its last address behind its first. */
  readonly #numbers: number[] = [];
  /** Anything is in `#ranges`: an IPv4 address may be in a range that is written as one of IPv6. */
  #hasWide = false;
  readonly names: string[] = [];
  #isEmpty = true;

  /** withEdges: the first and the last address of an IPv4 range are in it. */
  add(entry: IpEntry, withEdges: boolean): void {
    this.#isEmpty = false;
    if (entry.kind === 'name') this.names.push(entry.name);
    else if (entry.kind === 'address') this.addAddress(entry.address);
    else this.#addRange(entry.address, entry.bits, withEdges);
  }

  addAddress(address: string): void {
    const spelled = canonical(address) ?? address;
    const number = numberOf(spelled);
    if (number !== undefined) return void this.#numbers.push(number, number);
    this.#ranges.addAddress(spelled, 'ipv6');
    this.#hasWide = true;
  }

  #addRange(address: string, bits: number, withEdges: boolean): void {
    const number = numberOf(address);
    if (number === undefined) {
      this.#ranges.addSubnet(address, bits, 'ipv6');
      this.#hasWide = true;
      return;
    }
    const size = 2 ** (32 - bits);
    const first = number - (number % size);
    const edge = withEdges || bits > 30 ? 0 : 1;
    this.#numbers.push(first + edge, first + size - 1 - edge);
  }

  holds(address: string): boolean {
    const number = numberOf(address);
    const numbers = this.#numbers;
    if (number !== undefined)
      for (let at = 0; at < numbers.length; at += 2)
        if (number >= (numbers[at] ?? Infinity) && number <= (numbers[at + 1] ?? -Infinity)) return true;
    return this.#hasWide && this.#ranges.check(address, number === undefined ? 'ipv6' : 'ipv4');
  }

  /** Of what nobody can read anything is to be feared: it is in every list that says something. */
  holdsAny(addresses: readonly (string | undefined)[]): boolean {
    return addresses.some((address) => (address === undefined ? !this.#isEmpty : this.holds(address)));
  }

  /** As {@link holdsAny}, and of an IPv6 address also what a translator or a tunnel would make of it. */
  closesAny(addresses: readonly (string | undefined)[]): boolean {
    return addresses.some((address) =>
      address === undefined ? !this.#isEmpty : spellingsOf(address).some((each) => this.holds(each)),
    );
  }
}

function listOf(templates: readonly Template<string>[], withEdges: boolean): ListOf {
  const addTo = (list: AddressList, text: string): void => {
    for (const entry of readIpEntries(text) ?? []) list.add(entry, withEdges);
  };
  const whole = new AddressList();
  if (isConstant(templates)) {
    for (const each of templates) if (each.kind === 'constant') addTo(whole, each.value);
    return () => whole;
  }
  return (call) => {
    const list = new AddressList();
    for (const each of templates) {
      const rendered = each.render(call);
      if (rendered.kind === 'value') addTo(list, rendered.value);
      else {
        const why = rendered.kind === 'failed' ? rendered.why : 'an entry comes to nothing';
        call.warn('EXPRESSION_EVALUATION_ERROR', why);
        return undefined;
      }
    }
    return list;
  };
}

const onlyCaller = ({ request }: PolicyCall): Callers => {
  const caller = [canonical(request.remoteAddress)];
  return { all: caller, believed: caller };
};

/** Of the addresses of X-Forwarded-For those from his own on were written by proxies that are believed. */
function forwardedCallers(call: PolicyCall): Callers {
  const { headers, remoteAddress } = call.request;
  const hops = headers.getAll('x-forwarded-for').join(',').split(',');
  const said = hops.map((hop) => hop.trim()).filter((hop) => hop !== '');
  const all = said.map((hop) => canonical(forwardedAddress(hop) ?? ''));
  const caller = canonical(remoteAddress);
  const at = all.lastIndexOf(caller);
  return { all: [...all, caller], believed: at === -1 ? [caller] : all.slice(at) };
}

function chosenCallers(call: PolicyCall, template: Template<string>): Callers | undefined {
  const rendered = template.render(call);
  if (rendered.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', rendered.why);
  if (rendered.kind !== 'value') return undefined;
  const all = rendered.value.split(',').map((text) => canonical(forwardedAddress(text.trim()) ?? ''));
  return all.includes(undefined) ? undefined : { all, believed: all };
}

interface Look {
  readonly names: PolicyHost['ground']['names'];
  readonly families: readonly (4 | 6)[];
}

interface Question {
  readonly callers: Callers;
  readonly closed: AddressList;
  /** Undefined where it is not asked for. */
  readonly open: AddressList | undefined;
  readonly isLetIn: boolean;
}

async function judgeByNames({ callers, closed, open, isLetIn }: Question, look: Look): Promise<boolean> {
  const [refused, letIn] = await Promise.all([
    addressesOf(closed.names, look),
    addressesOf(open?.names ?? [], look),
  ]);
  if (!refused.isWhole || refused.list.closesAny(callers.all)) return false;
  return isLetIn || callers.believed.some((each) => each !== undefined && letIn.list.holds(each));
}

/** isWhole: each name has addresses, and nobody kept quiet. */
async function addressesOf(names: readonly string[], { names: book, families }: Look) {
  const list = new AddressList();
  const found = await Promise.all(
    names.map(async (name) => {
      const said = await Promise.all(families.map(async (family) => book.addressesOf(name, family)));
      const addresses = said.flatMap((each) => each ?? []);
      for (const address of addresses) list.addAddress(address);
      return addresses.length > 0 && !said.includes(undefined);
    }),
  );
  return { list, isWhole: found.every(Boolean) };
}

/** One spelling of an address; an IPv4 one that IPv6 carries is that IPv4 address. Undefined for what is none. */
function canonical(text: string): string | undefined {
  if (numberOf(text) !== undefined) return text;
  const [said = ''] = text.split('%');
  // ipaddr.js takes this form, which the kernel too writes for an IPv4-compatible address, for a mapped one.
  const address = said.replace(/^::(?=\d+\.)/, '0:0:0:0:0:0:');
  return ipaddr.IPv6.isValid(address) ? ipaddr.process(address).toString() : undefined;
}

/** What an IPv4 address counts as; undefined for what is none. */
function numberOf(address: string): number | undefined {
  let number = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) {
      // What begins with a zero is octal to some.
      if (part > 25 || (digits > 0 && part === 0)) return undefined;
      part = part * 10 + code - 0x30;
      digits += 1;
    } else if (code === 0x2e && digits > 0 && part < 256) {
      number = number * 256 + part;
      part = 0;
      digits = 0;
      dots += 1;
    } else return undefined;
  }
  return dots === 3 && digits > 0 && part < 256 ? number * 256 + part : undefined;
}
