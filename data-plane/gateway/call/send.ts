import type { Endpoint } from '../../endpoints/groups.ts';
import type { Body, UpstreamResult } from '../../http/exchange.ts';
import type { Sendable } from '../steps/around.ts';

/** Sends a request to an endpoint, as its steps left it. */
export function sendTo(
  endpoint: Endpoint,
  { exchange, request, body }: Sendable,
  receive: (result: UpstreamResult) => void,
): void {
  const { headers } = request;
  for (const { name, value } of endpoint.headers) headers.set(name, value);
  headers.set('Host', endpoint.propagatesHost ? exchange.request.authority : endpoint.target.authority);
  const { isUpgrade } = exchange.request;
  endpoint.upstream.send(
    {
      method: request.method,
      target: endpoint.target.line(request.pathInfo, request.query),
      headers,
      body: isUpgrade ? undefined : contentOr(body, request.content),
      exchange,
      isUpgrade,
    },
    receive,
  );
}

/** Who had no body has none because somebody looked. */
function contentOr(body: Body, content: Uint8Array | undefined): Body | Uint8Array {
  return content === undefined || (content.length === 0 && body.isEmpty) ? body : content;
}
