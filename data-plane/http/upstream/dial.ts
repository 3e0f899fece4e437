import { connect, type OnReadOpts, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { OnThrown, UpstreamFailure, UpstreamOptions, UpstreamProxy } from '../exchange.ts';
import { createHandshake, type Handshake } from './handshake.ts';
import { type DnsAnswer, type DnsCache, type HostAddress } from './dns.ts';
import { openTunnel, proxyAuthorizationOf } from './proxy.ts';
import { openSocks } from './socks.ts';
import { withoutRuntimeHint } from '../../../proto/process/tls-words.ts';

/** What a dial reports to; exactly one of onConnected and onFailed is called, once, never before `dial` has returned. */
export interface DialHooks {
  /**
   * Reads plain connections into the caller's buffer. TLS has no such way (its records are decrypted into buffers of
   * Node's own), so there the caller listens to 'data'.
   */
  readonly onread?: OnReadOpts | undefined;
  /**
   * The connection will carry another protocol: a proxy is asked for a tunnel (CONNECT) for http too, since one that reads requests
   * forwards no Upgrade. `onread` is then not used.
   */
  readonly isUpgrade?: boolean | undefined;
  /** Addresses of the host, or of the proxy before it, are known; perhaps before `dial` has returned. */
  readonly onResolved?: (() => void) | undefined;
  /** One of them has taken the connection; a proxy's words and TLS follow. */
  readonly onReached?: (() => void) | undefined;
  /**
   * The socket is open, secured where the upstream is https, and has no listeners of ours but one for TLS sessions:
   * 'error' and 'close' must be listened to before this returns.
   */
  readonly onConnected: (socket: Socket | TLSSocket) => void;
  readonly onFailed: (failure: UpstreamFailure, message: string) => void;
  /** Something threw, of the dial or of a hook, perhaps after one was called; what there was is destroyed. */
  readonly onThrown: OnThrown;
}

/** A connection that is being opened. */
export interface DialAttempt {
  /** Destroys what there is; no hook is called any more. Without effect once a hook was called. */
  cancel(): void;
}

/** Opens connections to one upstream. */
export interface Dialer {
  dial(hooks: DialHooks): DialAttempt;
  /** Whether `onread` is used: not where the socket says something else first, to a proxy or for TLS. */
  readsDirectly(isUpgrade: boolean): boolean;
  /** The connection ends at a proxy that reads request targets in absolute form (RFC 9112 section 3.2.2), but for upgrades. */
  readonly usesAbsoluteForm: boolean;
  /**
   * Proxy-Authorization for every request of such a connection. Undefined with CONNECT, where the proxy saw it
   * already and the upstream must never see it.
   */
  readonly proxyAuthorization: string | undefined;
}

/** 0 in a definition means no limit, but no wait is endless. */
const connectMsCeiling = 120_000;
/** Addresses that one dial tries at most. */
const addressesMax = 8;
/** An address that failed is tried after the others for this time. */
const restMs = 10_000;

/**
 * Makes what opens connections to an upstream: name look-up, TCP, proxy and TLS, bounded together by connectMsMax.
 *
 * Several addresses share the load: each dial starts at the next one and goes on to the others when one cannot be
 * reached. Not "happy eyeballs" (RFC 8305): backends are few and near, and two connections at once would double the load
 * of those that are slow. An address that does not answer costs at most its share of the time that is left; one that
 * failed lately is tried last.
 *
 * Errors: request.invalid when certificates, keys or passphrase do not fit together.
 */
export function createDialer(options: UpstreamOptions, dns: DnsCache): Dialer {
  const usesAbsoluteForm =
    options.proxy !== undefined && !isSocks(options.proxy) && options.scheme === 'http';
  const way: Way = {
    options,
    dns,
    handshake: options.scheme === 'https' ? createHandshake(options) : undefined,
    rotation: createRotation(),
  };
  return {
    dial: (hooks) => new Attempt(way, hooks),
    readsDirectly: (isUpgrade) => way.handshake === undefined && !needsTunnel(options, isUpgrade),
    usesAbsoluteForm,
    proxyAuthorization: usesAbsoluteForm ? proxyAuthorizationOf(options.proxy) : undefined,
  };
}

/** It passes bytes on and reads none of them. */
const isSocks = (proxy: UpstreamProxy | undefined): boolean =>
  proxy?.kind === 'socks4' || proxy?.kind === 'socks5';

function needsTunnel({ proxy, scheme }: UpstreamOptions, isUpgrade: boolean): boolean {
  return proxy !== undefined && (isSocks(proxy) || scheme === 'https' || isUpgrade);
}

interface Way {
  readonly options: UpstreamOptions;
  readonly dns: DnsCache;
  readonly handshake: Handshake | undefined;
  readonly rotation: Rotation;
}

/** One dial: look up, connect to one address after the other, ask the proxy, shake hands. */
class Attempt implements DialAttempt {
  readonly #way: Way;
  readonly #hooks: DialHooks;
  readonly #host: string;
  readonly #port: number;
  readonly #deadlineMs: number;
  readonly #timer: NodeJS.Timeout;
  #shareTimer: NodeJS.Timeout | undefined;
  #forgetLookup: (() => void) | undefined;
  #socket: Socket | undefined;
  #addresses: readonly HostAddress[] = [];
  #isSettled = false;
  /** For the message of a timeout. */
  #doing: string;

  constructor(way: Way, hooks: DialHooks) {
    this.#way = way;
    this.#hooks = hooks;
    const { connectMsMax, proxy, host, port } = way.options;
    this.#host = proxy?.host ?? host;
    this.#port = proxy?.port ?? port;
    this.#doing = `looking up ${this.#host}`;
    const timeoutMs = connectMsMax === 0 ? connectMsCeiling : connectMsMax;
    this.#deadlineMs = performance.now() + timeoutMs;
    this.#timer = setTimeout(
      () => this.#run(() => this.#fail('connectTimeout', `${timeoutMs} ms passed while ${this.#doing}`)),
      timeoutMs,
    );
    this.#forgetLookup = way.dns.resolve(this.#host, (answer) => this.#run(() => this.#onAnswer(answer)));
  }

  cancel(): void {
    if (this.#settle()) this.#socket?.destroy();
  }

  #onAnswer(answer: DnsAnswer): void {
    if (this.#isSettled) return;
    if (answer.kind === 'failure') {
      // Not at once: a remembered failure would reach the caller before it holds the attempt.
      return process.nextTick(() => this.#run(() => this.#fail('dnsFailed', answer.message)));
    }
    const { mayDial } = this.#way.options;
    const allowed =
      mayDial === undefined
        ? answer.addresses
        : answer.addresses.filter(({ address }) => mayDial(address, this.#port));
    if (allowed.length === 0) {
      const message = `${this.#host}:${this.#port} has no address that may be dialled`;
      return process.nextTick(() => this.#run(() => this.#fail('unreachable', message)));
    }
    this.#hooks.onResolved?.();
    this.#addresses = this.#way.rotation.order(allowed).slice(0, addressesMax);
    this.#connect(0);
  }

  #connect(index: number): void {
    const target = this.#addresses[index];
    if (target === undefined) return;
    const { address } = target;
    const isLast = index + 1 >= this.#addresses.length;
    this.#doing = `connecting to ${address}:${this.#port}`;
    const { onread } = this.#hooks;
    const readsDirectly = this.#way.handshake === undefined && !this.#needsTunnel;
    const socket = connect({
      host: address,
      port: this.#port,
      noDelay: true,
      ...(readsDirectly && onread !== undefined ? { onread } : {}),
    });
    this.#socket = socket;
    const onFailure = (error: Error): void => {
      if (this.#isSettled || this.#socket !== socket) return;
      clearTimeout(this.#shareTimer);
      this.#run(() => {
        this.#way.rotation.failed(address);
        if (isLast) this.#failBy(error);
        else this.#connect(index + 1);
      });
    };
    socket.on('error', onFailure);
    socket.once('connect', () => {
      if (this.#isSettled || this.#socket !== socket) return;
      clearTimeout(this.#shareTimer);
      socket.off('error', onFailure);
      this.#run(() => {
        this.#way.rotation.worked(address);
        this.#onTcp(socket);
      });
    });
    if (isLast) return;
    const shareMs = (this.#deadlineMs - performance.now()) / (this.#addresses.length - index);
    this.#shareTimer = setTimeout(() => {
      socket.destroy();
      onFailure(new Error('no answer'));
    }, shareMs);
  }

  #onTcp(socket: Socket): void {
    this.#hooks.onReached?.();
    if (!this.#needsTunnel) return this.#secure(socket);
    socket.on('error', (error) => this.#run(() => this.#failBy(error)));
    this.#doing = `waiting for the proxy ${this.#host}:${this.#port}`;
    const { options } = this.#way;
    const open = isSocks(options.proxy) ? openSocks : openTunnel;
    open(socket, options, {
      run: (work) => this.#run(work),
      done: (failure) => {
        if (this.#isSettled) return;
        if (failure === undefined) this.#secure(socket);
        else this.#fail(failure.failure, failure.message);
      },
    });
  }

  get #needsTunnel(): boolean {
    return needsTunnel(this.#way.options, this.#hooks.isUpgrade === true);
  }

  #secure(socket: Socket): void {
    const { handshake } = this.#way;
    if (handshake === undefined) return this.#succeed(socket);
    // From here on this socket only carries another one, and its errors come through that one; a late one must not end the process.
    socket.on('error', (error) => this.#run(() => this.#failBy(error)));
    this.#doing = `in the TLS handshake with ${this.#way.options.host}`;
    const secured = handshake.start(socket, (error) => {
      if (this.#isSettled) return;
      this.#run(() => (error === undefined ? this.#succeed(secured) : this.#failBy(error)));
    });
    this.#socket = secured;
  }

  /** Runs what an event began: what is thrown ends this dial, never the process. */
  #run(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#settle();
      this.#socket?.destroy();
      // Not at once: the dial may not have returned yet.
      process.nextTick(() => this.#hooks.onThrown(error));
    }
  }

  #succeed(socket: Socket): void {
    if (this.#settle()) this.#hooks.onConnected(socket);
  }

  #failBy(error: Error): void {
    this.#fail(failureOf(error), `${this.#doing}: ${reasonOf(error)}`);
  }

  #fail(failure: UpstreamFailure, message: string): void {
    if (!this.#settle()) return;
    this.#socket?.destroy();
    this.#hooks.onFailed(failure, message);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#shareTimer);
    this.#forgetLookup?.();
    return true;
  }
}

interface Rotation {
  order(addresses: readonly HostAddress[]): readonly HostAddress[];
  failed(address: string): void;
  worked(address: string): void;
}

/** Whose turn it is; addresses that failed lately stand at the end. */
function createRotation(): Rotation {
  let turn = 0;
  const restingUntilMs = new Map<string, number>();
  return {
    order(addresses) {
      if (addresses.length === 1) return addresses;
      const first = turn++ % addresses.length;
      const turned = [...addresses.slice(first), ...addresses.slice(0, first)];
      if (restingUntilMs.size === 0) return turned;
      const atMs = performance.now();
      for (const [address, untilMs] of restingUntilMs) if (untilMs <= atMs) restingUntilMs.delete(address);
      const rests = ({ address }: HostAddress): boolean => restingUntilMs.has(address);
      return [...turned.filter((one) => !rests(one)), ...turned.filter(rests)];
    },
    failed: (address) => void restingUntilMs.set(address, performance.now() + restMs),
    worked: (address) => void restingUntilMs.delete(address),
  };
}

const failuresByCode: ReadonlyMap<string, UpstreamFailure> = new Map([
  ['ECONNREFUSED', 'connectRefused'],
  ['ENOTFOUND', 'dnsFailed'],
  ['ETIMEDOUT', 'connectTimeout'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
]);

/**
 * Why a socket failed, by Node's code; what is not a network's error comes from the TLS side.
 *
 * Trap: with TLS 1.3 a server refuses a client certificate after the client took the handshake for done, so this kind also
 * comes with the first read of an open connection.
 */
export function failureOf(error: Error): UpstreamFailure {
  const code = codeOf(error);
  const known = failuresByCode.get(code);
  if (known !== undefined) return known;
  if (code.startsWith('EAI_')) return 'dnsFailed';
  return /TLS|SSL|CERT|^SELF_SIGNED|^UNABLE_TO_|^EPROTO$|^HOSTNAME_|^INVALID_|CRL/.test(code)
    ? 'tlsFailed'
    : 'unreachable';
}

function reasonOf(error: Error): string {
  const code = codeOf(error);
  const message = withoutRuntimeHint(error.message);
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');
