/** What tokens cost: a value for so many of them. */
interface Prices {
  readonly inputPriceValue: number;
  readonly inputPriceUnit: number;
  readonly outputPriceValue: number;
  readonly outputPriceUnit: number;
}

/** What tokens of each kind cost, in the currency of the prices. */
export function costOf(
  { input, output }: { readonly input: number; readonly output: number },
  { inputPriceValue, inputPriceUnit, outputPriceValue, outputPriceUnit }: Prices,
): { readonly input: number; readonly output: number } {
  return {
    input: (input * inputPriceValue) / inputPriceUnit,
    output: (output * outputPriceValue) / outputPriceUnit,
  };
}
