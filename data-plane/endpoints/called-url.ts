/** A URL that is called, and how: gRPC is spoken over HTTP, by requests whose URL would say so too. */
export interface CalledUrl {
  /** Its scheme is http or https. */
  readonly url: URL;
  readonly isGrpc: boolean;
  /** As it was written, normalised; for records. */
  readonly text: string;
}

/** Reads a target that its schema has judged. `grpc://` is http, `grpcs://` https, with their ports. */
export function calledUrlOf(target: string): CalledUrl {
  const isGrpc = /^\s*grpcs?:/i.test(target);
  const url = new URL(isGrpc ? target.replace(/^(\s*)grpc(s?):/i, '$1http$2:') : target);
  return { url, isGrpc, text: isGrpc ? url.href.replace('http', 'grpc') : url.href };
}
