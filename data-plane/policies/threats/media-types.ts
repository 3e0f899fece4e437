import type { HeaderList } from '../../http/exchange.ts';

/** Media types that a message says of its body, in lower case and without parameters; one is the rule, none and several happen. */
export function mediaTypesOf(headers: HeaderList): readonly string[] {
  return headers.getAll('content-type').map((value) => (value.split(';', 1)[0] ?? '').trim().toLowerCase());
}

/** Encodings of its body that a message says (`charset`), in lower case. */
export function charsetsOf(headers: HeaderList): readonly string[] {
  return headers
    .getAll('content-type')
    .flatMap((value) => value.split(';').slice(1))
    .map((parameter) => parameter.split('='))
    .filter(([name = '']) => name.trim().toLowerCase() === 'charset')
    .map(([, charset = '']) => charset.trim().replaceAll(/^"|"$/g, '').toLowerCase());
}
