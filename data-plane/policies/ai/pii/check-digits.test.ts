import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  isBelgian,
  isBsn,
  isCard,
  isCodiceFiscale,
  isCpf,
  isDni,
  isIban,
  isImei,
  isNir,
  isPesel,
  isSteuerId,
  isVin,
} from './check-digits.ts';

/** Numbers that are published as examples, by issuers of cards, administrations and standards. */
const published: readonly (readonly [name: string, isOne: (text: string) => boolean, examples: string])[] = [
  [
    'a card',
    isCard,
    '4111111111111111 4222222222222 5555555555554444 5105105105105100 2223003122003222 378282246310005 371449635398431 30569309025904 38520000023237 3530111333300000 6011111111111117 6011000990139424 6200000000000005',
  ],
  ['an IMEI', isImei, '490154203237518 356938035643809'],
  [
    'an IBAN',
    isIban,
    'DE89370400440532013000 GB29NWBK60161331926819 FR1420041010050500013M02606 NL91ABNA0417164300 BE68539007547034 CH9300762011623852957 ES9121000418450200051332 IT60X0542811101000000123456 NO9386011117947 MT84MALT011000012345MTLCAST001S',
  ],
  ['a VIN', isVin, '1M8GDM9AXKP042788 11111111111111111 1HGCM82633A004352'],
  ['a Steuer-ID', isSteuerId, '86095742719 47036892816 65929970489 57549285017'],
  ['a NIR', isNir, '255081416802538 269054958815780'],
  ['a DNI or NIE', isDni, '12345678Z 54362315K X2482300W Y3338121F'],
  ['a codice fiscale', isCodiceFiscale, 'RSSMRA85T10A562S MRTMTT91D08F205J RCCMNL83S18D969H'],
  ['a BSN', isBsn, '111222333 123456782'],
  ['a Belgian national number', isBelgian, '85073003328 17073003384'],
  ['a PESEL', isPesel, '44051401359 02070803628'],
  ['a CPF', isCpf, '11144477735 52998224725'],
];

for (const [name, isOne, examples] of published)
  test(`${name}: what is published as one is one, and is none with any of its digits changed`, () => {
    for (const text of examples.split(' ')) {
      assert.ok(isOne(text), text);
      const changed = Array.from(text).flatMap((letter, at) =>
        /\d/.test(letter) ? [`${text.slice(0, at)}${(Number(letter) + 1) % 10}${text.slice(at + 1)}`] : [],
      );
      assert.deepEqual(
        changed.filter((other) => isOne(other)),
        [],
      );
      // Some issuers have numbers of several lengths.
      if (isOne !== isCard) assert.ok(!isOne(`${text}0`) && !isOne(text.slice(1)), 'of another length');
    }
  });

test('what has a right check digit and cannot be one for another reason is none', () => {
  assert.ok(!isCard('0000000000000000'), 'no issuer');
  assert.ok(!isCard('1234567812345670'), 'no issuer');
  assert.ok(!isImei('000000000000000') && !isBsn('000000000') && !isCpf('00000000000'), 'no number at all');
  assert.ok(
    !isIban('XX89370400440532013000') && !isIban('DE893704004405320130'),
    'no such country or length',
  );
  assert.ok(!isSteuerId('12345678903'), 'no digit comes twice');
  assert.ok(!isVin('1M8GDM9AXKPO42788'), 'no VIN has an O');
});
