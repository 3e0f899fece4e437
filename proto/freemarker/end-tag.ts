/** A tag that ended a block. */
export interface EndTag {
  readonly name: string;
  readonly isClosing: boolean;
  readonly at: number;
}

/** A tag as it is written. */
export const shown = ({ name, isClosing }: EndTag): string =>
  name.startsWith('@') ? `</${name}>` : `<${isClosing ? '/' : ''}#${name}>`;
