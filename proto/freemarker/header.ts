import type { Reader } from './reader.ts';

/** `<#ftl ...>` at the beginning. Whether lines of tags alone are dropped. */
export function readHeader(reader: Reader): boolean {
  const { cursor } = reader;
  if (/^\s*\[#ftl\b/.test(cursor.source))
    cursor.fault('tags in square brackets are not supported by this version: write <#if>, not [#if]', 0);
  if (cursor.match(/\s*<#ftl\b/y) === undefined) return true;
  cursor.isInTag = true;
  let strips = true;
  cursor.skip();
  while (!/^\/?>/.test(cursor.source.slice(cursor.at))) {
    const { at } = cursor;
    const name = reader.expressions.name('a setting of <#ftl>');
    cursor.expect('=', 'a setting of <#ftl>');
    const value = reader.expressions.read();
    if (/^(strip_whitespace|stripWhitespace)$/.test(name) && value.kind === 'literal')
      strips = value.value !== false;
    else if (
      !/^(encoding|strip_text|stripText)$/.test(name) ||
      (name !== 'encoding' && value.kind === 'literal' && value.value !== false)
    )
      cursor.fault(`${name} of <#ftl> is not supported by this version; strip_whitespace is`, at);
    cursor.skip();
  }
  reader.endTag('<#ftl>');
  cursor.match(/[^\S\r\n]*(?:\r\n|\n|\r)/y);
  return strips;
}
