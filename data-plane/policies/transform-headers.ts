import type { HeaderList } from '../http/exchange.ts';
import { CONTINUE, type PolicyFactory } from './policy.ts';

/** Removes, keeps and sets headers of the request or of the answer, wherever the step stands. */
export const transformHeaders: PolicyFactory<'transform-headers'> = (config, { place }) => {
  const removed = config.removeHeaders.map((name) => name.toLowerCase());
  const kept = new Set(config.whitelistHeaders.map((name) => name.toLowerCase()));
  const added = config.addHeaders;

  const transform = (headers: HeaderList): undefined => {
    for (const name of removed) headers.delete(name);
    if (kept.size > 0) keepOnly(headers, kept);
    for (const { name, value } of added) headers.set(name, value);
    return CONTINUE;
  };
  return place.phase === 'request'
    ? { request: { needs: 'head', run: ({ request }) => transform(request.headers) } }
    : { response: { needs: 'head', run: ({ response }) => transform(response.headers) } };
};

function keepOnly(headers: HeaderList, kept: ReadonlySet<string>): void {
  const others: string[] = [];
  headers.forEach((name) => {
    const lowerName = name.toLowerCase();
    if (!kept.has(lowerName)) others.push(lowerName);
  });
  for (const name of others) headers.delete(name);
}
