import { isGrpc, type Upstream, type UpstreamRequest, type UpstreamResult } from '../exchange.ts';

/** An upstream that is spoken to in HTTP/1.1, but by gRPC, which needs HTTP/2 whatever the definition says, as in the reference. */
export class GrpcAwareUpstream implements Upstream {
  readonly #plain: Upstream;
  readonly #create: () => Upstream;
  /** Made for the first request that needs it. */
  #forGrpc: Upstream | undefined = undefined;

  constructor(plain: Upstream, create: () => Upstream) {
    this.#plain = plain;
    this.#create = create;
  }

  send(request: UpstreamRequest, receive: (result: UpstreamResult) => void): void {
    if (!isGrpc(request.exchange.request, request.headers)) return this.#plain.send(request, receive);
    this.#forGrpc ??= this.#create();
    this.#forGrpc.send(request, receive);
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all([this.#plain.close(deadlineMs), this.#forGrpc?.close(deadlineMs)]);
  }
}
