const engine = 'a template sees the request, not the engine; name what it shows yourself';
const scopes = 'name the variable itself';

/** Variables that begin with a dot: `known`, or what to say of one that is refused. */
export const specialNames: ReadonlyMap<string, string> = new Map([
  ['now', 'known'],
  ['error', 'known'],
  ['locale', 'known'],
  ['lang', 'known'],
  ['time_zone', 'known'],
  ['globals', scopes],
  ['locals', scopes],
  ['data_model', scopes],
  ['vars', scopes],
  ['main', scopes],
  ['namespace', scopes],
  ['args', 'name the parameters of the macro'],
  ['caller_template_name', engine],
  ['current_template_name', engine],
  ['main_template_name', engine],
  ['template_name', engine],
  ['get_optional_template', 'there are no other templates to include'],
  ['incompatible_improvements', engine],
  ['auto_esc', 'nothing is escaped unasked; ?json_string, ?xml and ?html escape'],
  ['output_encoding', 'what a template makes is UTF-8'],
  ['output_format', 'nothing is escaped unasked; ?json_string, ?xml and ?html escape'],
  ['url_escaping_charset', '?url is UTF-8'],
  ['version', engine],
  ['node', 'XML is not read by templates of this version'],
  ['current_node', 'XML is not read by templates of this version'],
  ['pass', engine],
]);
