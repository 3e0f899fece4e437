import type { BuiltIn } from './built-in.ts';
import { dateBuiltIns } from './dates.ts';
import { kindBuiltIns } from './kinds.ts';
import { listBuiltIns } from './lists.ts';
import { numberBuiltIns } from './numbers.ts';
import { textBuiltIns } from './texts.ts';

/** What may stand behind a question mark. */
export const builtIns: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
  ...textBuiltIns,
  ...numberBuiltIns,
  ...listBuiltIns,
  ...kindBuiltIns,
  ...dateBuiltIns,
]);

const code = 'a template cannot reach code; a script policy is the place for it';
const xml = 'XML is not read by templates of this version; #xpath of an expression reads it';
const markup = 'nothing is escaped unasked; ?json_string, ?xml and ?html escape';
const names = 'a template has no name of its own';

/** What FreeMarker has beside them, with what to do instead. */
export const refusedBuiltIns: ReadonlyMap<string, string> = new Map([
  ['api', code],
  ['has_api', code],
  ['new', code],
  ['interpret', 'a template is not made while it runs; a macro or ?eval_json may do'],
  ['namespace', 'there are no namespaces without <#import>'],
  ['absolute_template_name', names],
  ['with_args', 'pass the arguments where the macro is called'],
  ['with_args_last', 'pass the arguments where the macro is called'],
  ['esc', markup],
  ['no_esc', markup],
  ['markup_string', markup],
  ['rtf', '?html and ?xml escape'],
  ['web_safe', '?html escapes'],
  ['cn', '?c with ! before it: (x?c)!"null"'],
  ['iso', '?iso_utc writes a date'],
  ['c_lower_case', '?lower_case'],
  ['c_upper_case', '?upper_case'],
  ['truncate', 'a slice does it: x[0..*20]'],
  ['truncate_w', 'a slice does it: x[0..*20]'],
  ['truncate_c', 'a slice does it: x[0..*20]'],
  ['truncate_m', 'a slice does it: x[0..*20]'],
  ['truncate_w_m', 'a slice does it: x[0..*20]'],
  ['truncate_c_m', 'a slice does it: x[0..*20]'],
  ['date_if_unknown', '?date'],
  ['time_if_unknown', '?time'],
  ['datetime_if_unknown', '?datetime'],
  ['ancestors', xml],
  ['children', xml],
  ['next_sibling', xml],
  ['node_name', xml],
  ['node_namespace', xml],
  ['node_type', xml],
  ['parent', xml],
  ['previous_sibling', xml],
  ['root', xml],
]);
