import type { Value } from './values.ts';

/** Members of `#request.ssl.client`, by the symbols of a distinguished name, in lower case. */
const fields: ReadonlyMap<string, readonly string[]> = new Map([
  ['businessCategory', []],
  ['c', []],
  ['cn', []],
  ['countryOfCitizenship', []],
  ['countryOfResidence', []],
  ['dateOfBirth', []],
  ['dc', []],
  ['description', []],
  ['dmdName', []],
  ['dnQualifier', []],
  ['e', ['emailaddress']],
  ['emailAddress', ['e']],
  ['gender', []],
  ['generation', ['generationqualifier']],
  ['givenname', ['gn']],
  ['initials', []],
  ['l', []],
  ['name', []],
  ['nameAtBirth', []],
  ['o', []],
  ['organizationIdentifier', []],
  ['ou', []],
  ['placeOfBirth', []],
  ['postalAddress', []],
  ['postalCode', []],
  ['pseudonym', []],
  ['role', []],
  ['serialnumber', []],
  ['st', ['s']],
  ['street', ['streetaddress']],
  ['surname', ['sn']],
  ['t', ['title']],
  ['telephoneNumber', []],
  ['uid', ['userid']],
  ['uniqueIdentifier', ['x500uniqueidentifier']],
  ['unstructuredAddress', []],
]);

/** Names of its fields, beside `dn`, `defined` and `attributes`. */
export const subjectFields: readonly string[] = [...fields.keys(), 'dn'];

/**
 * A distinguished name as expressions see it: every field is there, empty where the name has none; `attributes` has all values of each.
 *
 * subject: as Node writes it on one line, `C=FR, O=Acme, CN=orders`; undefined where nobody showed a certificate.
 */
export function subjectOf(subject: string | undefined): Value {
  const parts = subject === undefined ? [] : partsOf(subject);
  const attributes = new Map<string, string[]>();
  for (const [symbol, value] of parts) {
    const key = symbol.toLowerCase();
    attributes.set(key, [...(attributes.get(key) ?? []), value]);
  }
  const first = (field: string, others: readonly string[]): string => {
    const found = [field.toLowerCase(), ...others].find((symbol) => attributes.has(symbol));
    return found === undefined ? '' : (attributes.get(found)?.[0] ?? '');
  };
  return new Map<string, Value>([
    ...[...fields].map(([field, others]): [string, Value] => [field, first(field, others)]),
    // As Java writes it: the last part first.
    [
      'dn',
      parts
        .map(([symbol, value]) => `${symbol}=${value}`)
        .toReversed()
        .join(','),
    ],
    ['defined', subject !== undefined],
    [
      'attributes',
      {
        kind: 'lines',
        isMapOfLists: true,
        all: (name) => attributes.get(name.toLowerCase()),
        names: () => [...attributes.keys()],
      },
    ],
  ]);
}

function partsOf(subject: string): readonly (readonly [symbol: string, value: string])[] {
  return subject.split(/, (?=[A-Za-z][\w.-]*=)/).flatMap((part) => {
    const [, symbol, value = ''] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
    return symbol === undefined ? [] : [[symbol.trim(), value.replaceAll(/\\(.)/g, '$1')] as const];
  });
}
