import { template } from '../expression/template.ts';
import { patternText } from './pattern-text.ts';

/** A pattern of the path below the context path; it may hold an expression. */
export const pathPattern = template(patternText(1_000));

/** What expressions know beside it where it matched: `#group[0]`, `#groupName['id']`. */
export const pathGroupNames = ['group', 'groupName'] as const;
